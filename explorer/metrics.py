"""Counts and times of requests, in the text format of Prometheus."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explorer.guard.refusals import none_yet

EVENT_STREAM = b"text/event-stream; charset=utf-8"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)  # seconds


class Metrics:
    """Requests by endpoint and status, and how long they took."""

    def __init__(self) -> None:
        self.refused = none_yet()
        self._requests: Counter[tuple[str, int]] = Counter()
        self._buckets: defaultdict[str, Counter[float]] = defaultdict(Counter)
        self._seconds: Counter[str] = Counter()

    def note(self, endpoint: str, status: int, seconds: float) -> None:
        """One answered request."""
        self._requests[endpoint, status] += 1
        self._seconds[endpoint] += seconds  # type: ignore[assignment]
        self._buckets[endpoint].update(bound for bound in BUCKETS if seconds <= bound)

    def text(self, gauges: Mapping[str, float]) -> str:
        """Gauges (by name without prefix) and requests, one sample a line."""
        return "\n".join([*_gauges(gauges), *self._refused_lines(), *self._request_lines(), ""])

    def _refused_lines(self) -> Iterator[str]:
        yield "# TYPE flux_explorer_refused_total counter"
        for kind, count in sorted(self.refused.items()):
            yield f'flux_explorer_refused_total{{kind="{kind}"}} {count}'

    def _request_lines(self) -> Iterator[str]:
        yield "# TYPE flux_explorer_requests_total counter"
        for (endpoint, status), count in sorted(self._requests.items()):
            yield f'flux_explorer_requests_total{{endpoint="{endpoint}",status="{status}"}} {count}'
        yield "# TYPE flux_explorer_request_seconds histogram"
        for endpoint in sorted(self._seconds):
            total = sum(count for (name, _), count in self._requests.items() if name == endpoint)
            bounds = [(str(bound), self._buckets[endpoint][bound]) for bound in BUCKETS]
            for bound, count in [*bounds, ("+Inf", total)]:
                yield f'flux_explorer_request_seconds_bucket{{endpoint="{endpoint}",le="{bound}"}} {count}'
            yield f'flux_explorer_request_seconds_sum{{endpoint="{endpoint}"}} {self._seconds[endpoint]:.6f}'
            yield f'flux_explorer_request_seconds_count{{endpoint="{endpoint}"}} {total}'


def _gauges(gauges: Mapping[str, float]) -> Iterator[str]:
    """Samples by name; a name may carry labels, and its samples follow each other."""
    before = ""
    for name, value in gauges.items():
        metric = name.partition("{")[0]
        if metric != before:
            yield f"# TYPE flux_explorer_{metric} gauge"
        before = metric
        yield f"flux_explorer_{name} {value:g}" if isinstance(value, float) else f"flux_explorer_{name} {value}"


class MetricsMiddleware:
    """Notes every request under the name of the function that answered it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with a clock running."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500
        ended: float | None = None

        async def noting(message: Message) -> None:
            nonlocal status, ended
            if message["type"] == "http.response.start":
                status = message["status"]
                if (b"content-type", EVENT_STREAM) in message["headers"]:
                    ended = time.perf_counter()  # what follows is not the time of an answer
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            name = getattr(scope.get("endpoint"), "__name__", "none")
            self._metrics.note(name, status, (ended or time.perf_counter()) - started)
