"""How many connections there may be, and which are ended."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network

import pytest

from explorer.guard.clients import Clients
from explorer.guard.connections import (
    HEAD_SECONDS,
    MOST_UNSENT,
    MOST_UNSENT_IN_ALL,
    STALLED_SECONDS,
    Connection,
    Connections,
)
from explorer.guard.refusals import none_yet

PROXY, FREE, STRANGER = "127.0.0.1", "192.0.2.200", "198.51.100.1"


def made(most: int = 1000, most_per_client: int = 3) -> Connections:
    """Nobody is connected yet."""
    clients = Clients([ip_network("127.0.0.0/8")], [ip_network("192.0.2.128/25")])
    return Connections(clients, most, most_per_client, none_yet())


def entered(connections: Connections, peer: str) -> Connection:
    """A connection that is let in."""
    found = connections.enter(peer, 0.0)
    assert found is not None
    return found


def test_a_client_has_so_many_and_gets_back_what_it_closes() -> None:
    connections = made()
    open_ = [entered(connections, f"2001:db8::{n}") for n in range(3)]
    assert connections.enter("2001:db8:0:0:ffff::", 0.0) is None
    entered(connections, "2001:db8:0:1::")
    connections.leave(open_[0])
    connections.leave(open_[0])
    entered(connections, "2001:db8::9")
    assert connections.enter("2001:db8::9", 0.0) is None
    assert len(connections) == 4


@pytest.mark.parametrize("peer", [PROXY, FREE])
def test_a_proxy_and_a_free_client_have_any_number(peer: str) -> None:
    connections = made(most=10)
    for _ in range(10):
        entered(connections, peer)
    assert connections.enter(peer, 0.0) is None
    assert connections.enter(STRANGER, 0.0) is None


def test_who_does_not_ask_is_ended() -> None:
    connections = made()
    asking, silent = entered(connections, STRANGER), entered(connections, STRANGER)
    asking.waiting_since = None
    assert connections.hopeless(HEAD_SECONDS) == []
    assert connections.hopeless(HEAD_SECONDS + 0.1) == [silent]
    asking.waiting_since = 100.0
    connections.leave(silent)
    assert connections.hopeless(100.0 + HEAD_SECONDS) == []


@pytest.mark.parametrize(
    ("unsent", "ended"),
    [
        ((5, 5, 5, 5), True),
        ((5, 9, 9, 12), True),  # there is only ever more
        ((0, 0, 0, 0), False),
        ((9, 9, 8, 8), False),  # slowly, but it reads
        ((9, 0, 9, 9), False),
    ],
)
def test_who_does_not_read_is_ended(unsent: Sequence[int], ended: bool) -> None:
    connections = made()
    one = entered(connections, STRANGER)
    one.waiting_since = None
    for look, size in enumerate(unsent):
        one.note_unsent(size, look * STALLED_SECONDS / 2.5)
    assert (connections.hopeless(STALLED_SECONDS * 1.2) == [one]) is ended


def test_the_fullest_are_ended_while_too_much_waits_for_one_client() -> None:
    connections = made(most_per_client=100)
    mine = [entered(connections, STRANGER) for _ in range(9)]
    other, proxied = entered(connections, "198.51.100.2"), entered(connections, PROXY)
    for one in (*mine, other, proxied):
        one.waiting_since = None
        one.note_unsent(MOST_UNSENT // 8, 0.0)
    mine[4].note_unsent(MOST_UNSENT // 8 + 1, 0.0)
    proxied.note_unsent(2 * MOST_UNSENT, 0.0)
    other.note_unsent(MOST_UNSENT, 0.0)
    assert connections.hopeless(1.0) == [mine[4]]


def test_the_fullest_are_ended_while_too_much_waits_in_all() -> None:
    connections = made(most_per_client=100)
    many = [entered(connections, PROXY) for _ in range(9)]
    for n, one in enumerate(many):
        one.waiting_since = None
        one.note_unsent(MOST_UNSENT_IN_ALL // 8 + n, 0.0)
    assert set(connections.hopeless(1.0)) == {many[8], many[7]}
