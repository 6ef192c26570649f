"""What is made once for a tip: one task for all who ask, again when the tip moves or it failed."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from explorer.db import Answer
from explorer.errors import UpstreamUnavailable
from explorer.meta import Tip
from explorer.shared import PerTip

TIP = Tip(7, bytes(32), 0, 1, False, 0)


class Maker:
    """Makes a number that tells how often; the first one waits until it may, and fails if it shall."""

    def __init__(self, *, fails: bool = False) -> None:
        self.made = 0
        self.may = asyncio.Event()
        self._fails = fails

    async def __call__(self) -> Answer[int]:
        """The next number."""
        self.made += 1
        number = self.made
        if number == 1:
            await self.may.wait()
            if self._fails:
                raise UpstreamUnavailable("away")
        return Answer(number, TIP)


def test_all_who_ask_share_one_task_until_the_tip_moves() -> None:
    async def ask() -> None:
        shared, maker = PerTip(), Maker()
        asking = [asyncio.create_task(shared.get("x", TIP, maker)) for _ in range(5)]
        await asyncio.sleep(0)
        asking[0].cancel()
        await asyncio.sleep(0)
        maker.may.set()
        assert [answer.value for answer in await asyncio.gather(*asking[1:])] == [1] * 4
        assert (await shared.get("x", replace(TIP, height=8), maker)).value == 2
        assert (await shared.get("y", TIP, maker)).value == 3

    asyncio.run(ask())


def test_the_least_recently_wanted_goes() -> None:
    async def ask() -> None:
        shared, maker = PerTip(most=2), Maker()
        maker.may.set()
        assert [(await shared.get(name, TIP, maker)).value for name in "xyxzxy"] == [1, 2, 1, 3, 1, 4]

    asyncio.run(ask())


def test_what_failed_is_made_again() -> None:
    async def ask() -> None:
        shared, maker = PerTip(), Maker(fails=True)
        maker.may.set()
        with pytest.raises(UpstreamUnavailable):
            await shared.get("x", TIP, maker)
        assert (await shared.get("x", TIP, maker)).value == 2

    asyncio.run(ask())
