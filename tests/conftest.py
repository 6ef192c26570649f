"""What several tests share: one real MongoDB for the session, and how an absent program is told."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from indexer.errors import ConfigError
from indexer.store import embedded

RECURSION_LIMIT = sys.getrecursionlimit()
REQUIRE_ALL = os.environ.get("FLUX_REQUIRE_ALL") == "1"


def absent(what: str, remedy: str) -> None:
    """Skip the test because ``what`` is not on this machine; fail when nothing may be skipped."""
    sentence = f"{what} is absent: {remedy}"
    if REQUIRE_ALL:
        pytest.fail(f"{sentence} (FLUX_REQUIRE_ALL=1)", pytrace=False)
    pytest.skip(sentence)


@pytest.fixture(scope="session", autouse=True)
def loopback_only() -> Iterator[list[str]]:
    """Refuse every connection and every look-up that would leave this machine; what was refused is in the list.

    Whoever tried is told by an error, and the session by a failure at its end: somebody might have caught the error.
    """
    refused: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name), refused), raising=True)
        patch.setattr(socket, "getaddrinfo", _guarded_look_up(socket.getaddrinfo, refused))
        yield refused
    assert not refused, f"tests tried to leave this machine: {', '.join(sorted(set(refused)))}"


def _guarded(method: Callable[..., Any], refused: list[str]) -> Callable[..., Any]:
    def guarded(self: socket.socket, *given: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _stays_here(given[-1][0]):
            refused.append(str(given[-1][0]))
            raise ConnectionRefusedError(f"tests stay on this machine: {given[-1]!r} is elsewhere")
        return method(self, *given)

    return guarded


def _guarded_look_up(look_up: Callable[..., Any], refused: list[str]) -> Callable[..., Any]:
    def guarded(host: Any, *given: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host or ""
        if not _stays_here(name):
            refused.append(name)
            raise socket.gaierror(socket.EAI_FAIL, f"tests stay on this machine: {name} is elsewhere")
        return look_up(host, *given, **more)

    return guarded


def _stays_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback or ip_address(host).is_unspecified
    except ValueError:
        return host in ("", "localhost", socket.gethostname())


def pytest_runtest_setup() -> None:
    """Every test has Python's own limit of recursion.

    Libraries of the simulated Ethereum raise it for the whole process to what the C stack does not bear: JSON nested
    too deep would end the run instead of being an error.
    """
    sys.setrecursionlimit(RECURSION_LIMIT)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One printed line for each reason why tests were skipped."""
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[reason] = reasons.get(reason, 0) + 1
    for reason, count in reasons.items():
        terminalreporter.write_line(f"skipped {count}: {reason.removeprefix('Skipped: ')}")


@pytest.fixture(scope="session")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of one embedded MongoDB that all tests of the session share; take a database name of your own."""
    try:
        server = embedded.start(tmp_path_factory.mktemp("mongod"), cache_mib=256)
    except ConfigError as error:
        absent("mongod", str(error))
        raise
    with server:
        yield server.uri


@pytest.fixture
def database_name(request: pytest.FixtureRequest, mongod: str) -> Iterator[str]:
    """A database name of this test's own, dropped when it ends."""
    name = f"t_{abs(hash(request.node.nodeid)) & 0xFFFFFFFF:08x}"
    yield name
    embedded.drop_database(mongod, name)


@pytest.fixture
def write_config(tmp_path: Path) -> Callable[[str], Path]:
    """Write a settings file and give its path."""

    def write(text: str) -> Path:
        path = tmp_path / "config.toml"
        path.write_text(text)
        return path

    return write


@pytest.fixture(scope="session")
def recorded_index(mongod: str) -> Iterator[tuple[str, str]]:
    """URI and name of a database with the whole recorded chain; for reading only."""
    from tests.indexed import index_recorded_chain

    name = "recorded"
    index_recorded_chain(mongod, name).close()
    yield mongod, name
    embedded.drop_database(mongod, name)
