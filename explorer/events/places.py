"""How many may listen at once: in all, and from one address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from explorer.errors import RateLimited


class Places:
    """The places of listeners; ``taken`` counts them by the address of the client."""

    def __init__(self, most: int, most_per_client: int) -> None:
        self._most, self._most_per_client = most, most_per_client
        self.taken: Counter[str] = Counter()

    @contextmanager
    def place(self, client: str) -> Iterator[None]:
        """A place for a client as long as the context lasts; RateLimited when there is none."""
        if self.taken[client] >= self._most_per_client:
            raise RateLimited(f"{self._most_per_client} streams are open from this address: close some first")
        if self.taken.total() >= self._most:
            raise RateLimited(f"all {self._most} places for listeners are taken: come back later")
        self.taken[client] += 1
        try:
            yield
        finally:
            self.taken[client] -= 1
            if not self.taken[client]:
                del self.taken[client]
