"""Counts the round trips of an answer: how often it waits for the database, whatever it asks at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from contextvars import ContextVar
from typing import Any

import pytest

from explorer import db

SETTLED = 50  # turns of the loop after which everything that can go on without the database has gone on
_COUNTED: ContextVar[bool] = ContextVar("counted", default=False)


class Waves:
    """Holds commands back until nothing else can go on, lets them go together and come back together: a round trip."""

    def __init__(self) -> None:
        self._answered = db._answered
        self._patch = pytest.MonkeyPatch()
        self._held: list[asyncio.Future[None]] = []
        self._sent = 0
        self._back = asyncio.Event()

    def __enter__(self) -> Waves:
        self._patch.setattr(db, "_answered", self._hold)
        return self

    def __exit__(self, *_: object) -> None:
        self._patch.undo()

    async def count(self, work: Coroutine[Any, Any, Any]) -> tuple[int, Any]:
        """How many round trips the work takes, and its result."""
        token = _COUNTED.set(True)
        task = asyncio.create_task(work)
        _COUNTED.reset(token)
        waves = 0
        while not task.done():
            for _ in range(SETTLED):
                await asyncio.sleep(0)
            if self._sent or not self._held:
                await asyncio.sleep(0.001)
                continue
            waves += 1
            held, self._held = self._held, []
            self._sent = len(held)
            self._back = asyncio.Event()
            for command in held:
                command.set_result(None)
        return waves, await task

    async def _hold(self, operation: Awaitable[Any]) -> Any:
        if not _COUNTED.get():
            return await self._answered(operation)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._held.append(turn)
        await turn
        back = self._back
        try:
            return await self._answered(operation)
        finally:
            self._sent -= 1
            if not self._sent:
                back.set()
            await back.wait()  # whoever was answered first: what follows is asked for at the same time
