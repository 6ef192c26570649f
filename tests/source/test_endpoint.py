"""Where daemons are and how to log in; the login is in no text."""

from __future__ import annotations

import base64
import traceback
from pathlib import Path

import pytest

from indexer.errors import ConfigError, Unreachable
from indexer.source.endpoint import Endpoint, parse_endpoints


def login_of(endpoint: Endpoint) -> str:
    return base64.b64decode(endpoint.authorization().removeprefix("Basic ")).decode()


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("", []),
        ("http://127.0.0.1:16124", ["http://127.0.0.1:16124/"]),
        ("node.example:16124", ["http://node.example:16124/"]),
        ("http://[::1]:16124/", ["http://[::1]:16124/"]),
        ("https://a.example/rpc?x=1#y", ["https://a.example/rpc"]),
        (" http://a:1 , http://b:2,", ["http://a:1/", "http://b:2/"]),
    ],
)
def test_urls(text: str, urls: list[str]) -> None:
    assert [endpoint.url for endpoint in parse_endpoints(text)] == urls


def test_user_info_of_a_url_is_its_login_and_is_stripped() -> None:
    first, second = parse_endpoints("http://me:p%40ss%3Aword@a:1,http://b:2", "other", "secret")
    assert (first.url, login_of(first)) == ("http://a:1/", "me:p@ss:word")
    assert (second.url, login_of(second)) == ("http://b:2/", "other:secret")
    assert not any(word in repr([first, second]) for word in ("p@ss", "p%40ss", "secret", "other"))


@pytest.mark.parametrize("text", ["http://me:hidden@:1", "ftp://me:hidden@a", "http://me:hidden@a:port", "http://["])
def test_what_is_no_url_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ConfigError, match=r"daemon\.url") as caught:
        parse_endpoints(text)
    assert "hidden" not in "".join(traceback.format_exception(caught.value))


def test_a_cookie_is_read_anew_each_time(tmp_path: Path) -> None:
    cookie = tmp_path / ".cookie"
    endpoint = Endpoint("http://a:1/", cookie=cookie)
    for content in ("__cookie__:one", "__cookie__:two\n"):
        cookie.write_text(content)
        assert login_of(endpoint) == content.strip()


def test_a_missing_cookie_means_a_daemon_that_is_down(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"\.cookie"):
        Endpoint("http://a:1/", cookie=tmp_path / ".cookie").authorization()


def test_an_unreadable_cookie_is_the_operators_to_mend(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        Endpoint("http://a:1/", cookie=tmp_path).authorization()


def test_no_login_sends_none() -> None:
    endpoint = Endpoint("http://a:1/")
    assert not endpoint.has_login
    assert endpoint.authorization() == ""
