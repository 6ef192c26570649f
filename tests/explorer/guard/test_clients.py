"""Whom a request counts for: networks of IPv6, proxies that are believed, and strangers who say they are somebody."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from explorer.guard.clients import Clients, client_of, parse_address

PROXIES = [ip_network(text) for text in ("127.0.0.0/8", "10.1.0.0/16", "2001:db8:ffff::/48")]
FREE = [ip_network(text) for text in ("192.0.2.128/25", "2001:db8:f::/48")]


def scope(peer: str | None, *forwarded: str, **headers: str) -> dict[str, Any]:
    """A request from a peer with these X-Forwarded-For headers, and others."""
    sent = [*(("x-forwarded-for", text) for text in forwarded), *((k.replace("_", "-"), v) for k, v in headers.items())]
    told = [(name.encode(), value.encode("latin-1")) for name, value in sent]
    return {"type": "http", "scheme": "http", "client": peer and (peer, 5), "headers": told}


@pytest.mark.parametrize(
    ("peer", "forwarded", "name"),
    [
        ("192.0.2.1", (), "192.0.2.1"),
        ("192.0.2.1", ("198.51.100.9",), "192.0.2.1"),  # a stranger is not believed
        ("192.0.2.1", ("127.0.0.1",), "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", (), "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", (), "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", (), "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.1", (), "192.0.2.1"),
        ("fe80::1%eth0", (), "fe80::/64"),
        ("127.0.0.1", (), "127.0.0.1"),
        ("127.0.0.1", ("198.51.100.9",), "198.51.100.9"),
        ("::ffff:127.0.0.1", ("198.51.100.9",), "198.51.100.9"),
        ("127.0.0.1", ("198.51.100.9:4711",), "198.51.100.9"),
        ("127.0.0.1", ("[2001:db8:1:2::7]:4711",), "2001:db8:1:2::/64"),
        ("127.0.0.1", (" 2001:db8:1:2::7 ",), "2001:db8:1:2::/64"),
        ("127.0.0.1", ("203.0.113.7, 198.51.100.9",), "198.51.100.9"),  # the client wrote the first
        ("127.0.0.1", ("203.0.113.7", "198.51.100.9"),  "198.51.100.9"),
        ("127.0.0.1", ("203.0.113.7, 198.51.100.9, 10.1.2.3",), "198.51.100.9"),
        ("2001:db8:ffff::1", ("203.0.113.7, 198.51.100.9, 10.1.2.3",), "198.51.100.9"),
        ("127.0.0.1", ("10.1.2.3, 10.1.2.4",), "10.1.2.3"),  # a request of a proxy's own
        ("127.0.0.1", ("198.51.100.9, unknown",), "127.0.0.1"),
        ("127.0.0.1", ("198.51.100.9, , 10.1.2.3",), "10.1.2.3"),
        ("127.0.0.1", ("",), "127.0.0.1"),
        ("127.0.0.1", ("\xff\xfe",), "127.0.0.1"),
        ("127.0.0.1", (", ".join(["198.51.100.9"] + ["10.1.2.3"] * 5000),), "10.1.2.3"),
        (None, ("198.51.100.9",), ""),
        ("testclient", ("198.51.100.9",), "testclient"),
    ],
)  # fmt: skip
def test_whose_limits_count(peer: str | None, forwarded: tuple[str, ...], name: str) -> None:
    asked = scope(peer, *forwarded)
    found = Clients(PROXIES, FREE).of(asked)
    assert found.name == name
    assert client_of(asked) is found


def test_what_is_told_of_the_client_is_in_the_scope() -> None:
    clients = Clients(PROXIES, FREE)
    direct, behind = scope("192.0.2.1", "198.51.100.9", x_forwarded_proto="https"), scope("127.0.0.1", "2001:db8::7")
    clients.of(direct)
    clients.of(behind)
    assert (direct["client"], direct["scheme"]) == (("192.0.2.1", 5), "http")
    assert (behind["client"], behind["scheme"]) == (("2001:db8::7", 0), "http")
    for kind, proto, scheme in (
        ("http", "https", "https"), ("websocket", "https", "wss"), ("websocket", "http", "ws"), ("http", "ftp", "http"),
    ):  # fmt: skip
        asked = scope("127.0.0.1", x_forwarded_proto=proto) | {"type": kind}
        clients.of(asked)
        assert asked["scheme"] == scheme
        assert asked["client"] == ("127.0.0.1", 5)


@pytest.mark.parametrize(
    ("peer", "forwarded", "free"),
    [("192.0.2.200", (), True), ("192.0.2.1", (), False), ("192.0.2.1", ("192.0.2.200",), False),
     ("127.0.0.1", ("192.0.2.200",), True), ("2001:db8:f:1::1", (), True), ("::ffff:192.0.2.200", (), True)],
)  # fmt: skip
def test_who_has_no_limits(peer: str, forwarded: tuple[str, ...], free: bool) -> None:
    assert Clients(PROXIES, FREE).of(scope(peer, *forwarded)).is_free is free


def test_what_is_remembered_of_addresses_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.guard.clients.MOST_REMEMBERED", 50)
    clients = Clients(PROXIES, FREE)
    for n in range(200):
        clients.of(scope("127.0.0.1", f"2001:db8:{n:x}::1"))
    assert clients.named.cache_info().currsize == 50


@pytest.mark.parametrize("text", ["", "x", "1.2.3", "1.2.3.4.5", "[", "[]:80", "::g", "1.2.3.4:5:6", "localhost"])
def test_what_is_no_address(text: str) -> None:
    assert parse_address(text) is None
