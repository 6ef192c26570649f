"""How much each client may ask: a token bucket, kept as one number a client (GCRA, ITU-T I.371).

Instead of tokens and a time, the moment is kept at which the bucket will be full again. Spending moves it on;
it may be at most the time of a whole bucket ahead of the clock. All in whole nanoseconds.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

SECOND: Final = 1_000_000_000  # nanoseconds
MOST_CLIENTS: Final = 20_000


class Allowance:
    """A bucket of ``burst`` tokens a client, filled at ``rate`` tokens a second; no limit when ``rate`` is 0."""

    def __init__(
        self, rate: int, burst: int, *, most: int = MOST_CLIENTS, clock: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._a_token = SECOND // rate if rate else 0
        self._whole = burst * self._a_token
        self._most, self._clock = most, clock
        self._full_at: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def spend(self, client: str, tokens: int) -> int:
        """Take tokens from the bucket of a client: 0, or, and then none is taken, the nanoseconds until there are some.

        What costs more than a whole bucket costs a whole bucket.
        """
        if not self._a_token:
            return 0
        now, kept = self._clock(), self._full_at
        full_at = kept.get(client, now)
        if full_at < now:
            full_at = now
        price = tokens * self._a_token
        after = full_at + (price if price < self._whole else self._whole)
        if after - now > self._whole:
            return after - now - self._whole
        kept[client] = after
        kept.move_to_end(client)
        if len(kept) > self._most:
            kept.popitem(last=False)  # the one that has been silent for longest begins with a full bucket
        return 0
