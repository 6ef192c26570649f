"""What long work says, and how often."""

from __future__ import annotations

import io

import pytest

from indexer.progress import Progress, Report, duration, sentence


class Terminal(io.StringIO):
    """An output that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"), (0.4, "0 s"), (59.6, "1 min"), (61, "1 min 1 s"), (3600, "1 h"), (3661, "1 h 1 min"),
        (86399, "23 h 59 min"), (90000, "1 d 1 h"), (86400 + 59, "1 d"),
    ],
)  # fmt: skip
def test_duration(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (Report(1200, 3000, 150), "block 1,200 of 3,000 (40.0 %), 150/s, 12 s left"),
        (Report(1200, 3000, 1.5), "block 1,200 of 3,000 (40.0 %), 1.5/s, 20 min"),
        (Report(1200, 3000, 0, note="the daemon warms up"), "block 1,200 of 3,000 (40.0 %), the daemon warms up"),
        (Report(3000, 3000, 2), "block 3,000"),
        (Report(5, 10, 0, "address"), "address 5 of 10 (50.0 %)"),
    ],
)
def test_sentence(report: Report, words: str) -> None:
    assert sentence(report).removesuffix(" left") == words.removesuffix(" left")


def test_a_terminal_has_one_rewritten_line() -> None:
    output, now = Terminal(), 0.0
    progress = Progress(output, lambda: now)
    progress(Report(1, 3, 0))
    progress(Report(2, 3, 0))  # too soon
    now = 1.0
    progress(Report(3, 3, 0))
    now = 2.0
    progress(Report(3, 3, 0))  # nothing new
    progress.end()
    progress.end()
    assert output.getvalue() == "\r\x1b[Kblock 1 of 3 (33.3 %)\r\x1b[Kblock 3\n"


def test_elsewhere_there_is_a_line_every_ten_seconds_at_most() -> None:
    output, now = io.StringIO(), 0.0
    progress = Progress(output, lambda: now)
    for now in range(0, 25):
        progress(Report(now, 100, 0))
    progress.end()
    assert output.getvalue() == "block 0 of 100 (0.0 %)\nblock 10 of 100 (10.0 %)\nblock 20 of 100 (20.0 %)\n"


def test_the_arrival_is_told_at_once_and_once() -> None:
    output = io.StringIO()
    progress = Progress(output, lambda: 0.0)
    for done, total in ((8, 10), (9, 10), (10, 10), (10, 11), (11, 11)):
        progress(Report(done, total, 0))
    assert output.getvalue() == "block 8 of 10 (80.0 %)\nblock 10\n"
