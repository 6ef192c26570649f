"""Tasks of the event loop: how they end, and one that has nothing to do."""

from __future__ import annotations

import asyncio
from typing import Any, Final, TypeVar

T = TypeVar("T")

AGAIN_SECONDS: Final = 0.5


async def already(value: T) -> T:
    """A value that is known, among questions that are asked at the same time."""
    return value


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel a task until it has ended; raises what it failed with.

    Once is not enough: a cancellation that meets a failure in the same moment is lost (``asyncio.TaskGroup`` raises
    the failure, ``asyncio.timeout`` a TimeoutError), and a task that outlives its failures would go on for ever.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait((task,), timeout=AGAIN_SECONDS)
    if not task.cancelled():
        task.result()
