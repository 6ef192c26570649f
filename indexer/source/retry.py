"""The one way to wait for a daemon: longer each time up to a cap, told at most once a minute, stoppable at once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from indexer.errors import Garbled, SourceError, Stopped, Unreachable, WarmingUp

T = TypeVar("T")

TEMPORARY = (Unreachable, WarmingUp, Garbled)
"""What another attempt may heal; every other SourceError needs the operator."""

log = logging.getLogger(__name__)


class Retry:
    """When to ask again after a temporary failure, and when to say so.

    ``first`` and ``cap`` are seconds of delay, ``quiet`` the least seconds between two warnings.
    """

    def __init__(
        self,
        stop: Event,
        *,
        first: float = 0.25,
        cap: float = 15.0,
        quiet: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stop = stop
        self._first, self._cap, self._quiet = first, cap, quiet
        self._clock = clock
        self._delay = 0.0
        self._told_at: float | None = None
        self._told_of_failure = False

    def failed(self, error: SourceError) -> float:
        """Note a failed attempt; returns the seconds to wait before the next."""
        self._delay = min(self._delay * 2, self._cap) if self._delay else self._first
        now = self._clock()
        if self._told_at is None or now - self._told_at >= self._quiet:
            log.warning("%s", error)
            self._told_at, self._told_of_failure = now, True
        return self._delay

    def succeeded(self, where: str = "") -> None:
        """Note an answer from ``where``; says that the connection is restored when its loss was told."""
        if self._told_of_failure:
            log.info("connection restored%s", where and f" ({where})")
        self._delay, self._told_of_failure = 0.0, False

    def until_answered(self, attempt: Callable[[], T]) -> T:
        """Repeat ``attempt`` until it succeeds or fails for good; raises Stopped as soon as asked to stop."""
        while not self._stop.is_set():
            try:
                answer = attempt()
            except TEMPORARY as error:
                self._stop.wait(self.failed(error))
            else:
                self.succeeded()
                return answer
        raise Stopped("stopped while waiting for the daemon")
