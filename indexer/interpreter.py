"""Settings of the Python interpreter for those parts of the program whose time matters."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

COLLECT_AFTER = (50_000, 20, 100)
TURN_SECONDS = 0.0005


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let Python look for cycles rarely: rows make hardly any, and looking takes long.

    It took half of the processor time of a catch-up, and 50 ms of an answer whenever its turn came.
    """
    before = gc.get_threshold()
    gc.set_threshold(*COLLECT_AFTER)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def quick_turns() -> Iterator[None]:
    """Let threads take turns often that wait for a file or the database for a moment, many times a block.

    With Python's 5 ms a thread that came back from such a moment stood waiting for another one: a quarter of a
    catch-up's time (``python -m bench.catchup``).
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(TURN_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
