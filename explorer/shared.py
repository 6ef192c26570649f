"""What is made once for a tip and shared by all who ask for it meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Final, TypeVar

from explorer.db import Answer
from explorer.grounds import rest_on
from explorer.meta import Tip

T = TypeVar("T")

MOST: Final = 32


class PerTip:
    """Answers by name, each made by one task and kept until the tip moves; the least recently wanted go."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._tip: Tip | None = None
        self._made: dict[Hashable, asyncio.Task[Answer[Any]]] = {}

    async def get(self, name: Hashable, tip: Tip | None, make: Callable[[], Awaitable[Answer[T]]]) -> Answer[T]:
        """What ``make`` answers at ``tip``; who is no longer interested stops nobody else's."""
        if tip != self._tip:
            self._tip = tip
            self._made.clear()
        made = self._made.pop(name, None)
        if made is None or _failed(made):
            made = asyncio.create_task(_run(make))
        self._made[name] = made
        if len(self._made) > self._most:
            del self._made[next(iter(self._made))]
        answer: Answer[T] = await asyncio.shield(made)
        rest_on(answer.tip, answer.shown)
        return answer


async def _run(make: Callable[[], Awaitable[Answer[T]]]) -> Answer[T]:
    return await make()


def _failed(task: asyncio.Task[Answer[Any]]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
