"""Ending tasks of the event loop."""

from __future__ import annotations

import asyncio
from typing import Any, Final

AGAIN_SECONDS: Final = 0.5


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
