"""How long work tells of itself: one line that is rewritten on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

PLAIN_SECONDS = 10.0
TERMINAL_SECONDS = 0.2
UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


@dataclass(frozen=True, slots=True)
class Report:
    """How far work is: ``done`` of ``total`` (blocks, or what ``unit`` says), at ``rate`` a second.

    ``note`` is what else there is to say: why it waits, or what was found.
    """

    done: int
    total: int
    rate: float
    unit: str = "block"
    note: str = ""

    @property
    def eta_seconds(self) -> float | None:
        """Seconds until the end at this rate; None when nothing moves."""
        return (self.total - self.done) / self.rate if self.rate > 0 else None


ProgressCall = Callable[[Report], None]


class Progress:
    """Shows reports no more often than the output bears."""

    def __init__(self, output: TextIO = sys.stdout, clock: Callable[[], float] = time.monotonic) -> None:
        self._output = output
        self._clock = clock
        self._terminal = output.isatty()
        self._pause = TERMINAL_SECONDS if self._terminal else PLAIN_SECONDS
        self._next = float("-inf")
        self._shown = ""
        self._complete = True

    def __call__(self, report: Report) -> None:
        """Show the report, unless it says nothing new, or one was shown a moment ago and this is not the arrival."""
        line = sentence(report)
        complete = report.done >= report.total
        arrived = complete and not self._complete
        if line == self._shown or (self._clock() < self._next and not arrived):
            return
        self._next = self._clock() + self._pause
        self._shown, self._complete = line, complete
        self._output.write(f"\r\x1b[K{line}" if self._terminal else f"{line}\n")
        self._output.flush()

    def end(self) -> None:
        """Leave the rewritten line, so that what follows begins on one of its own."""
        if self._terminal and self._shown:
            self._output.write("\n")
            self._output.flush()
            self._shown = ""


def sentence(report: Report) -> str:
    """A report in words, such as ``block 1,200 of 3,000 (40.0 %), 150/s, 12 s left``."""
    parts = [f"{report.unit} {report.done:,}"]
    if report.total > report.done:
        parts[0] += f" of {report.total:,} ({100 * report.done / report.total:.1f} %)"
        if report.eta_seconds is not None:
            parts.append(f"{report.rate:,.0f}/s" if report.rate >= 10 else f"{report.rate:.1f}/s")
            parts.append(f"{duration(report.eta_seconds)} left")
    return ", ".join((*parts, report.note) if report.note else parts)


def duration(seconds: float) -> str:
    """Seconds in the two largest units, such as ``3 h 12 min``."""
    rest = round(seconds)
    parts = []
    for name, size in UNITS:
        parts.append((rest // size, name))
        rest %= size
    first = next((i for i, (count, _) in enumerate(parts) if count), len(parts) - 1)
    return " ".join(f"{count} {name}" for count, name in parts[first : first + 2] if count) or "0 s"
