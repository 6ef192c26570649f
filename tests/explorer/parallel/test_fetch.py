"""What servers that nobody here runs may do: each is bounded, refused and told in words, and another endpoint asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from explorer.parallel.ask import Asker, Failed, Rests
from explorer.parallel.base import ParallelChain
from explorer.parallel.fetch import MAX_BYTES, host_of, retry_after
from tests.explorer.parallel.chain import at, read
from tests.explorer.parallel.servers import Answer, Asked, Server, closed_port, hanging, serving

COIN = 10**8
PAGE = b"<!doctype html><title>Please wait</title>"


def asset(asked: Asked) -> Any:
    """An honest Algorand node: 440 million, of which every issuer address holds one coin."""
    if "/accounts/" in asked.path:
        return {"asset-holding": {"amount": COIN, "asset-id": 1029804829, "is-frozen": False}, "round": 41}
    return {"index": 1029804829, "params": {"total": 440_000_000 * COIN, "decimals": 8}}


def pieces(piece: bytes, seconds: float) -> Iterator[bytes]:
    """An answer that never ends."""
    while True:
        yield piece
        time.sleep(seconds)


def big() -> Iterator[bytes]:
    """50 MB of JSON."""
    yield b'{"pad": "'
    for _ in range(50):
        yield b"x" * 1_000_000
    yield b'"}'


def nested() -> bytes:
    """JSON deeper than a parser goes."""
    return b"[" * 200_000 + b"]" * 200_000


BAD: dict[str, tuple[Callable[[Asked], Any], str]] = {
    "a web page": (lambda _: Answer(PAGE, headers={"Content-Type": "text/html"}), r"answered with a web page"),
    "no JSON": (lambda _: Answer(b"oops"), r"4 bytes that are no JSON"),
    "nothing": (lambda _: Answer(b""), r"0 bytes that are no JSON"),
    "no text": (lambda _: Answer(b"\xff\xfe\x00"), r"no JSON"),
    "not a number": (lambda _: Answer(b'{"index": NaN}'), r"no JSON"),
    "infinity": (lambda _: Answer(b'{"index": Infinity}'), r"no JSON"),
    "a number of a million digits": (lambda _: Answer(b'{"index": ' + b"9" * 1_000_000 + b"}"), r"no JSON"),
    "deep nesting": (lambda _: Answer(nested()), r"no JSON"),
    "50 MB": (lambda _: Answer(big()), rf"more than {MAX_BYTES} bytes"),
    "a drip": (lambda _: Answer(pieces(b" ", 0.05)), r"took more than|does not answer in time"),
    "compressed": (lambda _: Answer(b"\x1f\x8b", headers={"Content-Encoding": "gzip"}), r"answered compressed"),
    "500": (lambda _: Answer(PAGE, 500), r"answered HTTP 500"),
    "503": (lambda _: Answer(PAGE, 503), r"answered HTTP 503"),
    "521": (lambda _: Answer(PAGE, 521), r"answered HTTP 521"),
    "401": (lambda _: Answer(b"{}", 401), r"does not serve us \(HTTP 401\): it may want a key"),
    "403": (lambda _: Answer(PAGE, 403), r"does not serve us \(HTTP 403\)"),
    "400": (lambda _: Answer(b'{"message": "bad"}', 400), r"answered HTTP 400"),
    "404 for the asset": (lambda _: Answer(b'{"message": "no asset"}', 404), r"nothing under this name"),
    "404 with a page": (lambda _: Answer(PAGE, 404), r"a web page"),
    "429": (lambda _: Answer(b"slow down", 429), r"asks to be asked less often \(HTTP 429\)"),
    "cut short": (lambda _: Answer(b"{}", headers={"Content-Length": "9"}), r"broke off|in time|more than"),
}


@pytest.fixture(scope="module")
def good() -> Iterator[Server]:
    """An endpoint that answers as it should."""
    with serving(asset) as running:
        yield running


def algo(*urls: str) -> ParallelChain:
    """The Algorand chain at endpoints."""
    return at("algo", *urls)


@pytest.mark.parametrize("name", BAD)
def test_an_answer_that_is_none_is_told_and_the_next_endpoint_asked(name: str, good: Server) -> None:
    behaviour, complaint = BAD[name]
    with serving(behaviour) as server:
        began = time.monotonic()
        with pytest.raises(Failed, match=complaint) as failed:
            read(algo(server.url), timeout=2.0)
        assert f"127.0.0.1:{server.port}" in str(failed.value)
        assert read(algo(server.url, good.url), timeout=2.0).minted == 440_000_000 * COIN
        assert time.monotonic() - began < 9


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int, good: Server) -> None:
    asked = len(good.asked)
    moved = Answer(b"", status, {"Location": f"{good.url}/v2/assets/1029804829"})
    with serving(lambda _: moved) as server, pytest.raises(Failed, match=rf"redirect \(HTTP {status}\)"):
        read(algo(server.url))
    assert len(good.asked) == asked


def test_a_socket_that_says_nothing_costs_one_timeout(good: Server) -> None:
    with hanging() as silent:
        began = time.monotonic()
        with pytest.raises(Failed, match=r"in time|took more than 1 seconds"):
            read(algo(silent), timeout=1.0)
        assert read(algo(silent, good.url), timeout=1.0).outstanding == 439_999_994 * COIN
        assert time.monotonic() - began < 5


def test_nobody_listens(good: Server) -> None:
    nobody = f"http://127.0.0.1:{closed_port()}"
    with pytest.raises(Failed, match=r"no connection to 127\.0\.0\.1"):
        read(algo(nobody))
    assert read(algo(nobody, good.url)).block == 41


def test_the_endpoint_that_answered_is_asked_first_the_next_time(good: Server) -> None:
    with serving(lambda _: Answer(b"", 500)) as bad:
        chain, rests = algo(bad.url, good.url), Rests([0.0, 0.0])

        async def twice() -> None:
            asker = Asker(1.0)
            for _ in range(2):
                await asker.once(chain, rests, 0.0)
            await asker.close()

        asyncio.run(twice())
        assert len(bad.asked) == 1


def test_who_asks_to_be_left_alone_is_left_alone(good: Server) -> None:
    with serving(lambda _: Answer(b"", 429, {"Retry-After": "120"})) as busy:
        chain, rests = algo(busy.url), Rests([0.0])

        async def ask(now: float) -> str:
            asker = Asker(1.0)
            try:
                await asker.once(chain, rests, now)
            except Failed as error:
                return str(error)
            finally:
                await asker.close()
            raise AssertionError("a reading came of nothing")

        assert "asks to be asked less often" in asyncio.run(ask(1000.0))
        assert rests.until == [1120.0]
        assert "asked to be left alone for now" in asyncio.run(ask(1119.0))
        assert len(busy.asked) == 1
        assert "asks to be asked less often" in asyncio.run(ask(1120.0))
        assert len(busy.asked) == 2


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("999999999999999999999", 86400.0),
        ("Mon, 23 Nov 2026 12:01:00 GMT", 60.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("Mon, 23 Nov 2026 12:01:00 -0000", 60.0),
        ("Mon, 30 Nov 2026 12:00:00 GMT", 86400.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
        ("²", None),
    ],
)
def test_how_long_a_server_wants_to_be_left_alone(value: str, seconds: float | None) -> None:
    assert retry_after(value, datetime(2026, 11, 23, 12, 0, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://user:secret@rpc.example.com/v3/key?apikey=key", "rpc.example.com"),
        ("http://127.0.0.1:8545/", "127.0.0.1:8545"),
        ("http://[::1]:8545", "[::1]:8545"),
    ],
)
def test_of_a_url_only_the_host_is_told(url: str, host: str) -> None:
    assert host_of(url) == host


def test_we_say_who_we_are_and_ask_for_nothing_compressed(good: Server) -> None:
    read(algo(good.url))
    headers = good.asked[-1].headers
    assert headers["User-Agent"].startswith("flux-explorer/")
    assert headers["Accept-Encoding"] == "identity"
    assert not {"Cookie", "Referer", "Authorization"} & headers.keys()
