"""How many may listen at once: in all, and of one client."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import Scope

from explorer.errors import RateLimited
from explorer.guard.clients import client_of
from explorer.guard.refusals import Refused


class Places:
    """The places of listeners; ``taken`` counts them by the name of the client."""

    def __init__(self, most: int, most_per_client: int, refused: Refused) -> None:
        self._most, self._most_per_client, self._refused = most, most_per_client, refused
        self._all = 0
        self.taken: Counter[str] = Counter()

    @contextmanager
    def place(self, scope: Scope) -> Iterator[None]:
        """A place for the client of a request as long as the context lasts; RateLimited when there is none."""
        client = client_of(scope)
        if self.taken[client.name] >= self._most_per_client and not client.is_free:
            self._refused["streams"] += 1
            raise RateLimited(f"{self._most_per_client} streams are open from this address: close some first")
        if self._all >= self._most:
            self._refused["streams"] += 1
            raise RateLimited(f"all {self._most} places for listeners are taken: come back later")
        self._all += 1
        self.taken[client.name] += 1
        try:
            yield
        finally:
            self._all -= 1
            self.taken[client.name] -= 1
            if not self.taken[client.name]:
                del self.taken[client.name]
