"""Counts of requests: how many, by function and status, how long they took, and what was refused."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from explorer.guard.refusals import Refused, none_yet

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)  # seconds


@dataclass(slots=True)
class Counts:
    """What one process has counted; ``listeners`` is how many listen to events now.

    ``times`` are the answers of a function within each bound of BUCKETS but not within the one before, and those
    beyond the last; ``seconds`` is what all of them took.
    """

    requests: Counter[tuple[str, int]] = field(default_factory=Counter)
    times: dict[str, list[int]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    refused: Refused = field(default_factory=none_yet)
    listeners: int = 0

    def note(self, endpoint: str, status: int, seconds: float) -> None:
        """One answered request."""
        self.requests[endpoint, status] += 1
        times = self.times.get(endpoint)
        if times is None:
            times = self.times[endpoint] = [0] * (len(BUCKETS) + 1)
        times[bisect_left(BUCKETS, seconds)] += 1
        self.seconds[endpoint] = self.seconds.get(endpoint, 0.0) + seconds

    def add(self, other: Counts) -> None:
        """Count also what another process has counted."""
        self.requests.update(other.requests)
        self.refused.update(other.refused)
        self.listeners += other.listeners
        for endpoint, times in other.times.items():
            mine = self.times.get(endpoint, [0] * (len(BUCKETS) + 1))
            self.times[endpoint] = [a + b for a, b in zip(mine, times, strict=True)]
            self.seconds[endpoint] = self.seconds.get(endpoint, 0.0) + other.seconds[endpoint]

    def plain(self) -> dict[str, Any]:
        """The same as JSON has it."""
        requests = [[*key, count] for key, count in self.requests.items()]
        return {
            "requests": requests, "times": self.times, "seconds": self.seconds, "refused": self.refused,
            "listeners": self.listeners,
        }  # fmt: skip

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Counts:
        """Counts that were written as ``plain`` gives them."""
        requests = Counter({(endpoint, status): count for endpoint, status, count in plain["requests"]})
        return cls(requests, plain["times"], plain["seconds"], Counter(plain["refused"]), plain["listeners"])

    def lines(self) -> Iterator[str]:
        """The counts in the text format of Prometheus, one sample a line."""
        yield "# TYPE flux_explorer_refused_total counter"
        for kind, count in sorted(self.refused.items()):
            yield f'flux_explorer_refused_total{{kind="{kind}"}} {count}'
        yield "# TYPE flux_explorer_requests_total counter"
        for (endpoint, status), count in sorted(self.requests.items()):
            yield f'flux_explorer_requests_total{{endpoint="{endpoint}",status="{status}"}} {count}'
        yield "# TYPE flux_explorer_request_seconds histogram"
        for endpoint, times in sorted(self.times.items()):
            name, within = "flux_explorer_request_seconds", 0
            for bound, count in zip((*BUCKETS, "+Inf"), times, strict=True):
                within += count
                yield f'{name}_bucket{{endpoint="{endpoint}",le="{bound}"}} {within}'
            yield f'{name}_sum{{endpoint="{endpoint}"}} {self.seconds[endpoint]:.6f}'
            yield f'{name}_count{{endpoint="{endpoint}"}} {within}'
