"""Connections: how many there may be, and how much may wait in them for clients that do not read.

The server asks here whom to let in; what it does with connections is its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from explorer.guard.clients import NOBODY, Client, Clients
from explorer.guard.refusals import Refused

HEAD_SECONDS: Final = 20.0  # for the head of a request, from the first moment on
STALLED_SECONDS: Final = 60.0  # without a byte taken of what waits
MOST_UNSENT: Final = 64 << 20  # bytes that wait for one client
MOST_UNSENT_IN_ALL: Final = 512 << 20


@dataclass(slots=True, eq=False)
class Connection:
    """An open connection: since when a head of a request is waited for (None: none is), and what waits unread."""

    client: Client
    waiting_since: float | None
    unsent: int = 0
    unread_since: float | None = None

    def note_unsent(self, unsent: int, now: float) -> None:
        """So many bytes wait now; fewer than before means that the client reads."""
        if not unsent:
            self.unread_since = None
        elif self.unread_since is None or unsent < self.unsent:
            self.unread_since = now
        self.unsent = unsent

    def is_stalled(self, now: float) -> bool:
        """Whether the client neither asks nor reads."""
        slow_to_ask = self.waiting_since is not None and now - self.waiting_since > HEAD_SECONDS
        return slow_to_ask or (self.unread_since is not None and now - self.unread_since > STALLED_SECONDS)


class Connections:
    """The open connections of a process, counted by client; of a trusted proxy or a free client there may be any."""

    def __init__(self, clients: Clients, most: int, most_per_client: int, refused: Refused) -> None:
        self.most = most
        self._clients, self._most_per_client, self._refused = clients, most_per_client, refused
        self._open: set[Connection] = set()
        self._of: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._open)

    def enter(self, peer: str | None, now: float) -> Connection | None:
        """A new connection from an address; None when there are too many."""
        client = NOBODY if peer is None else self._clients.named(peer)
        too_many = self._of[client.name] >= self._most_per_client and not (client.is_free or client.is_proxy)
        if too_many or len(self._open) >= self.most:
            self._refused["connections"] += 1
            return None
        entered = Connection(client, now)
        self._open.add(entered)
        self._of[client.name] += 1
        return entered

    def leave(self, connection: Connection) -> None:
        """It is closed; once more does nothing."""
        if connection in self._open:
            self._open.remove(connection)
            self._of[connection.client.name] -= 1
            if not self._of[connection.client.name]:
                del self._of[connection.client.name]

    def hopeless(self, now: float) -> list[Connection]:
        """Those to end: stalled ones, and the fullest while too much waits for one client, or in all."""
        ended = {one for one in self._open if one.is_stalled(now)}
        ended |= set(self._too_full(self._open - ended))
        self._refused["stalled"] += len(ended)
        return list(ended)

    def _too_full(self, connections: Iterable[Connection]) -> Iterator[Connection]:
        full = sorted((one for one in connections if one.unsent), key=lambda one: one.unsent)
        in_all = sum(one.unsent for one in full)
        waiting: Counter[str] = Counter()
        for one in full:
            waiting[one.client.name] += one.unsent
        for one in reversed(full):
            name = one.client.name
            own = 0 if one.client.is_proxy or one.client.is_free else waiting[name]
            if own > MOST_UNSENT or in_all > MOST_UNSENT_IN_ALL:
                waiting[name] -= one.unsent
                in_all -= one.unsent
                yield one
