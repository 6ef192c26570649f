"""Tasks end, even those that lose a cancellation."""

from __future__ import annotations

import asyncio

import pytest

from explorer import tasks
from explorer.parallel.together import together


async def failing_late() -> None:
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        raise OSError("it failed in the moment it was cancelled") from None


def test_a_task_that_loses_cancellations_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "AGAIN_SECONDS", 0.01)

    async def lose_two_and_end() -> int:
        lost = 0

        async def losing() -> None:
            nonlocal lost
            while lost < 2:
                try:
                    await together([failing_late()])
                except OSError:
                    lost += 1
            await asyncio.sleep(60)

        task = asyncio.create_task(losing())
        await asyncio.sleep(0)
        await tasks.end(task)
        assert task.cancelled()
        return lost

    assert asyncio.run(asyncio.wait_for(lose_two_and_end(), 10)) == 2


def test_what_a_task_failed_with_is_raised() -> None:
    async def main() -> None:
        task = asyncio.create_task(failing_late())
        await asyncio.sleep(0)
        await tasks.end(task)

    with pytest.raises(OSError, match="in the moment"):
        asyncio.run(main())


def test_a_task_that_has_ended_is_left_alone() -> None:
    async def main() -> None:
        task = asyncio.create_task(asyncio.sleep(0))
        await task
        await tasks.end(task)

    asyncio.run(main())
