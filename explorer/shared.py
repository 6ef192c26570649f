"""What is made once for a tip and shared by all who ask for it meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from explorer.db import Answer
from explorer.grounds import rest_on
from explorer.meta import Tip

T = TypeVar("T")


class PerTip:
    """Large answers by name, each made by one task and kept until the tip moves."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[Tip | None, asyncio.Task[Answer[Any]]]] = {}

    async def get(self, name: str, tip: Tip | None, make: Callable[[], Awaitable[Answer[T]]]) -> Answer[T]:
        """What ``make`` answers at ``tip``; who is no longer interested stops nobody else's."""
        kept = self._made.get(name)
        if kept is None or kept[0] != tip or _failed(kept[1]):
            kept = tip, asyncio.create_task(_run(make))
            self._made[name] = kept
        answer: Answer[T] = await asyncio.shield(kept[1])
        rest_on(answer.tip, answer.shown)
        return answer


async def _run(make: Callable[[], Awaitable[Answer[T]]]) -> Answer[T]:
    return await make()


def _failed(task: asyncio.Task[Answer[Any]]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
