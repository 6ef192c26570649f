"""Which daemon to ask: the one of our settings, else the one whose ``flux.conf`` lies in this user's home."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from indexer.config import Daemon
from indexer.errors import ConfigError
from indexer.source.endpoint import Endpoint, parse_endpoints

CONF_NAME, COOKIE_NAME = "flux.conf", ".cookie"
DATA_FOLDERS = (".flux", ".zelcash")
"""``util.cpp:GetDefaultDataDir``: the old name serves where it exists."""

_MAIN_PORT, _OTHER_PORT = 16124, 26124
_NETWORK_FOLDERS = {"test": "testnet", "regtest": "regtest"}
"""``chainparamsbase.cpp``: ports and folders of the networks."""


class _Network(Protocol):
    @property
    def name(self) -> str: ...


def endpoints(daemon: Daemon, network: _Network, home: Path | None = None) -> list[Endpoint]:
    """The daemons to ask, in order of preference; ConfigError when none is set and none is found.

    A URL without a login takes that of ``flux.conf`` when it names the same host and port.
    """
    cookie = Path(daemon.cookie_file).expanduser() if daemon.cookie_file else None
    configured = parse_endpoints(daemon.url, daemon.user, daemon.password, cookie)
    if configured and all(e.has_login for e in configured):
        return configured
    local = local_endpoint(network, home)
    if configured:
        return [local if local and e == Endpoint(local.url) else e for e in configured]
    if local is None:
        folders = " or ".join(f"~/{name}" for name in DATA_FOLDERS)
        raise ConfigError(f"no daemon is set and no {CONF_NAME} is in {folders}: set daemon.url")
    return [local]


def local_endpoint(network: _Network, home: Path | None = None) -> Endpoint | None:
    """The daemon of this user by its ``flux.conf`` or cookie, None if there is neither."""
    for name in DATA_FOLDERS:
        folder = (home or Path.home()) / name
        cookie = folder / _NETWORK_FOLDERS.get(network.name, "") / COOKIE_NAME
        if (folder / CONF_NAME).exists() or cookie.exists():
            return _endpoint(read_conf(folder / CONF_NAME), cookie, network)
    return None


def _endpoint(conf: dict[str, str], cookie: Path, network: _Network) -> Endpoint:
    default = _MAIN_PORT if network.name == "main" else _OTHER_PORT
    url = f"http://127.0.0.1:{conf.get('rpcport') or default}/"
    if conf.get("rpcpassword"):
        return Endpoint(url, conf.get("rpcuser", ""), conf["rpcpassword"])
    return Endpoint(url, cookie=cookie.parent / conf.get("rpccookiefile", COOKIE_NAME))


def read_conf(path: Path) -> dict[str, str]:
    """The settings of a ``flux.conf``, empty if it does not exist; as in the daemon, a key's first value counts."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        reason = type(error).__name__
        raise ConfigError(f"{path} cannot be read ({reason}): set daemon.url and its login instead") from None
    settings: dict[str, str] = {}
    for key, value in _assignments(text):
        settings.setdefault(key, value)
    return settings


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        key, equals, value = line.partition("#")[0].partition("=")
        if equals:
            yield key.strip(), value.strip()
