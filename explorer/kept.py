"""What queries keep in memory for later questions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Kept:
    """What queries keep for later, by name and height: true for one epoch, the least recently used go first.

    A reader whose epoch is over can spoil nothing: what it keeps is kept under its own epoch.
    """

    MOST = 8  # heights of a name

    def __init__(self) -> None:
        self._epoch = -1
        self._values: dict[str, dict[int, Any]] = {}
        self._making: dict[tuple[int, str, int], asyncio.Event] = {}

    def at_or_below(self, epoch: int, name: str, height: int) -> Any:
        """What was kept under the greatest height up to ``height``; None when there is nothing."""
        values = self._values.get(name, {}) if epoch == self._epoch else {}
        best = max((kept for kept in values if kept <= height), default=None)
        if best is None:
            return None
        values[best] = values.pop(best)
        return values[best]

    def keep(self, epoch: int, name: str, height: int, value: Any) -> None:
        """Keep a value; an earlier epoch's are forgotten, for an earlier epoch nothing is kept."""
        if epoch > self._epoch:
            self._epoch, self._values = epoch, {}
        if epoch == self._epoch:
            values = self._values.setdefault(name, {})
            values.pop(height, None)
            values[height] = value
            if len(values) > self.MOST:
                del values[next(iter(values))]

    async def once(self, epoch: int, name: str, height: int, make: Callable[[], Awaitable[T]]) -> T:
        """What is kept under exactly this height, else what ``make`` makes of it, kept.

        Who asks while it is made waits for that; if it fails, everybody makes it and fails by themselves.
        """
        key = epoch, name, height
        if (making := self._making.get(key)) is not None:
            await making.wait()
        if epoch == self._epoch and height in self._values.get(name, {}):
            found: T = self.at_or_below(epoch, name, height)
            return found
        made = self._making[key] = asyncio.Event()
        try:
            value = await make()
            self.keep(epoch, name, height, value)
        finally:
            made.set()
            if self._making.get(key) is made:
                del self._making[key]
        return value
