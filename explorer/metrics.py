"""Counts and times of requests, in the text format of Prometheus."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explorer.counts import Counts
from explorer.guard.refusals import Refused
from explorer.tally import Tally

EVENT_STREAM = b"text/event-stream; charset=utf-8"


class Metrics:
    """What this process has counted, and of the other workers of its site what they have."""

    def __init__(self, tally: Tally | None = None) -> None:
        self.counts = Counts()
        self.tally = tally

    @property
    def refused(self) -> Refused:
        """Refusals by kind."""
        return self.counts.refused

    def of_all(self) -> Counts:
        """What all workers have counted, the others up to a second ago."""
        total = Counts()
        for counts in (self.counts, *(self.tally.others() if self.tally else ())):
            total.add(counts)
        return total

    def text(self, gauges: Mapping[str, float]) -> str:
        """Gauges (by name without prefix) and requests, one sample a line."""
        total = self.of_all()
        return "\n".join([*_gauges({**gauges, "event_listeners": total.listeners}), *total.lines(), ""])


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
            self._metrics.counts.note(name, status, (ended or time.perf_counter()) - started)
