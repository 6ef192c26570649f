"""Settings: precedence, types, ranges, and what an error says."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest

from indexer.config import DEFAULTS_FILE, SECTIONS, load_config
from indexer.errors import ConfigError
from tests.recorded import NETWORK_FILE

ROOT = Path(__file__).parents[1]
Write = Callable[[str], Path]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No config.toml in the working directory, unless a test writes one."""
    monkeypatch.chdir(tmp_path)


def test_defaults() -> None:
    config = load_config(environ={})
    assert config.network.name == "main"
    assert config.database_name == "flux_main"
    assert config.indexer.memory_bytes == 2 << 30
    assert (config.explorer.host, config.explorer.port) == ("127.0.0.1", 8080)


def test_the_packaged_defaults_are_the_file_at_the_root() -> None:
    assert DEFAULTS_FILE.read_bytes() == (ROOT / "config.toml").read_bytes()


def test_dataclasses_and_file_name_the_same_keys() -> None:
    table = tomllib.loads(DEFAULTS_FILE.read_text())
    assert table.pop("network").keys() == {"name", "params_file"}
    assert {name: list(keys) for name, keys in table.items()} == {
        name: [field.name for field in fields(section)] for name, section in SECTIONS.items()
    }


@pytest.mark.parametrize("line", [line for line in DEFAULTS_FILE.read_text().splitlines() if " = " in line])
def test_every_key_is_explained(line: str) -> None:
    _, hash_sign, explanation = line.partition("# ")
    assert hash_sign and len(explanation) > 10


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(write_config: Write) -> None:
    path = write_config('[explorer]\nhost = "0.0.0.0"\nport = 9000\n[indexer]\npoll_seconds = 1\n')
    config = load_config(path, {"FLUX_EXPLORER_PORT": "9001", "FLUX_DAEMON_URL": "http://a:1", "HOME": "/root"})
    assert (config.explorer.host, config.explorer.port) == ("0.0.0.0", 9001)
    assert config.daemon.url == "http://a:1"
    assert config.indexer.poll_seconds == 1.0
    assert isinstance(config.indexer.poll_seconds, float)


def test_the_file_is_the_given_one_else_that_of_the_environment_else_the_local_one(tmp_path: Path) -> None:
    ports = {"given.toml": 1001, "named.toml": 1002, "config.toml": 1003}
    for name, port in ports.items():
        (tmp_path / name).write_text(f"[explorer]\nport = {port}\n")
    environ = {"FLUX_CONFIG": str(tmp_path / "named.toml")}
    assert load_config("given.toml", environ).explorer.port == 1001
    assert load_config(None, environ).explorer.port == 1002
    assert load_config(None, {}).explorer.port == 1003


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[explorer]\nprot = 1", r"unknown key explorer.prot; the nearest known name is port"),
        ("[deamon]\nurl = ''", r"unknown section \[deamon\]; the nearest known name is daemon"),
        ("explorer = 1", r"explorer is 1: expected a section \[explorer\]"),
        ("[explorer]\nport = '80'", r"explorer.port: expected a whole number, not text in quotes"),
        ("[explorer]\nport = true", r"explorer.port: expected a whole number, not true or false"),
        ("[explorer]\nhost = 1.5", r"explorer.host: expected text in quotes, not a number"),
        ("[explorer]\nport = 65536", r"explorer.port is 65536: expected a port"),
        ("[explorer]\nport = -1", r"explorer.port is -1: expected a port"),
        ("[indexer]\nmemory_mib = 10", r"indexer.memory_mib is 10: expected at least 256"),
        ("[indexer]\nbatch_blocks = 0", r"indexer.batch_blocks is 0: expected at least 1"),
        ("[indexer]\nundo_depth = 10", r"indexer.undo_depth is 10: expected at least 40"),
        ("[daemon]\ntimeout_seconds = 0.0", r"daemon.timeout_seconds is 0.0: expected at least 0.1"),
        ("[database]\nuri = 'localhost:27017'", r"database.uri: expected mongodb://"),
        ("[database]\ndriver = 'moto'", r"database.driver is 'moto': .*did you mean motor\?"),
        ("[database]\ndriver = '?'", r"database.driver is '\?': expected one of motor, pymongo_async$"),
        ("[network]\nname = 'mian'", r"no network named 'mian': did you mean main\?"),
        ("[network]\nparams_file = 'absent.toml'", r"settings file absent.toml cannot be read: No such file"),
        ("[explorer\n", r"config.toml is no TOML: .*line 1"),
    ],
)
def test_what_is_wrong_is_named(write_config: Write, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        load_config(write_config(text), {})


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("FLUX_EXPLORER_PROT", "1", r"unknown environment variable FLUX_EXPLORER_PROT; .* FLUX_EXPLORER_PORT"),
        ("FLUX_EXPLORER_PORT", "http", r"FLUX_EXPLORER_PORT is 'http': expected a whole number"),
        ("FLUX_INDEXER_POLL_SECONDS", "soon", r"FLUX_INDEXER_POLL_SECONDS is 'soon': expected a number"),
        ("FLUX_CONFIG", "nowhere.toml", r"nowhere.toml cannot be read"),
    ],
)
def test_what_is_wrong_in_the_environment_is_named(variable: str, value: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        load_config(None, {variable: value})


def test_variables_of_others_are_left_alone() -> None:
    environ = {"FLUX_REQUIRE_ALL": "1", "FLUX_PARSER": "pure", "FLUX_EXT": "none", "FLUXD": "x"}
    assert load_config(None, environ) == load_config(None, {})


def test_no_secret_is_shown(write_config: Write) -> None:
    text = """
    [daemon]
    url = "http://u:hunter1@h:1"
    password = "hunter2"
    [database]
    uri = "mongodb://u:hunter3@h"
    """
    assert "hunter" not in repr(load_config(write_config(text), {}))


def test_a_secret_without_quotes_is_not_shown(write_config: Write) -> None:
    with pytest.raises(ConfigError, match="daemon.password: expected text in quotes") as caught:
        load_config(write_config("[daemon]\npassword = 987654"), {})
    assert "987654" not in str(caught.value)


def test_a_network_of_ones_own(write_config: Write) -> None:
    config = load_config(None, {"FLUX_NETWORK_PARAMS_FILE": str(NETWORK_FILE), "FLUX_NETWORK_NAME": "ignored"})
    assert (config.network.name, config.network.upgrades.pon) == ("regtest", 1800)
    assert config.database_name == "flux_regtest"
    assert load_config(None, {"FLUX_DATABASE_NAME": "mine"}).database_name == "mine"


def test_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert load_config(None, {}).data.path == tmp_path / ".local/share/flux-explorer"
    assert load_config(None, {"FLUX_DATA_DIR": "~/here"}).data.path == tmp_path / "here"
    assert load_config(None, {"FLUX_DATA_DIR": "here"}).data.path == tmp_path / "here"
    monkeypatch.setenv("XDG_DATA_HOME", "/srv/data")
    assert load_config(None, {}).data.path == Path("/srv/data/flux-explorer")
