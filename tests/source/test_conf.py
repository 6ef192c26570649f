"""Which daemon is asked: settings first, then flux.conf and the cookie of this user."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from indexer.config import Daemon
from indexer.errors import ConfigError
from indexer.source.conf import endpoints, local_endpoint, read_conf
from indexer.source.endpoint import Endpoint

MAIN, TEST, REGTEST = (SimpleNamespace(name=name) for name in ("main", "test", "regtest"))


def settings(url: str = "", user: str = "", password: str = "", cookie_file: str = "") -> Daemon:
    return Daemon(url=url, user=user, password=password, cookie_file=cookie_file, timeout_seconds=60.0)


def write_conf(home: Path, text: str, folder: str = ".flux") -> Path:
    (home / folder).mkdir(exist_ok=True)
    (home / folder / "flux.conf").write_text(text)
    return home / folder


def test_conf_lines(tmp_path: Path) -> None:
    folder = write_conf(
        tmp_path, "# a comment\nrpcuser = me  # mine\nrpcpassword=a=b\n\nnonsense\nrpcport=1\nrpcport=2\n"
    )
    assert read_conf(folder / "flux.conf") == {"rpcuser": "me", "rpcpassword": "a=b", "rpcport": "1"}
    assert read_conf(folder / "absent.conf") == {}


@pytest.mark.parametrize(("network", "port"), [(MAIN, 16124), (TEST, 26124), (REGTEST, 26124)])
def test_password_and_default_port(tmp_path: Path, network: SimpleNamespace, port: int) -> None:
    write_conf(tmp_path, "rpcuser=me\nrpcpassword=word\n")
    assert endpoints(settings(), network, tmp_path) == [Endpoint(f"http://127.0.0.1:{port}/", "me", "word")]


@pytest.mark.parametrize(("network", "sub"), [(MAIN, ""), (TEST, "testnet"), (REGTEST, "regtest")])
def test_without_a_password_the_networks_cookie_serves(tmp_path: Path, network: SimpleNamespace, sub: str) -> None:
    folder = write_conf(tmp_path, "rpcport=7\n", ".zelcash")
    found = local_endpoint(network, tmp_path)
    assert found == Endpoint("http://127.0.0.1:7/", cookie=folder / sub / ".cookie")


def test_the_new_folder_is_preferred_and_a_cookie_alone_suffices(tmp_path: Path) -> None:
    write_conf(tmp_path, "rpcport=7\n", ".zelcash")
    (tmp_path / ".flux").mkdir()
    (tmp_path / ".flux" / ".cookie").write_text("__cookie__:x")
    found = local_endpoint(MAIN, tmp_path)
    assert found == Endpoint("http://127.0.0.1:16124/", cookie=tmp_path / ".flux" / ".cookie")


def test_settings_win_over_conf(tmp_path: Path) -> None:
    write_conf(tmp_path, "rpcuser=me\nrpcpassword=word\n")
    password = endpoints(settings("http://a:1", "you", "yours"), MAIN, tmp_path)
    assert password == [Endpoint("http://a:1/", "you", "yours")]
    cookie = endpoints(settings("http://a:1", cookie_file="/x/.cookie"), MAIN, tmp_path)
    assert cookie == [Endpoint("http://a:1/", cookie=Path("/x/.cookie"))]


def test_a_url_without_login_takes_that_of_its_own_conf_only(tmp_path: Path) -> None:
    write_conf(tmp_path, "rpcuser=me\nrpcpassword=word\n")
    own, other = endpoints(settings("http://127.0.0.1:16124,http://b:16124"), MAIN, tmp_path)
    assert own == Endpoint("http://127.0.0.1:16124/", "me", "word")
    assert other == Endpoint("http://b:16124/")


def test_no_daemon_at_all(tmp_path: Path) -> None:
    assert local_endpoint(MAIN, tmp_path) is None
    with pytest.raises(ConfigError, match=r"set daemon\.url"):
        endpoints(settings(), MAIN, tmp_path)


def test_an_unreadable_conf(tmp_path: Path) -> None:
    (tmp_path / ".flux" / "flux.conf").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"flux\.conf cannot be read"):
        local_endpoint(MAIN, tmp_path)
