"""What a socket is told unasked: new blocks, and transactions of the addresses that it names."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from explorer.api.blockbook import ask, chain
from explorer.api.blockbook.ask import Given
from explorer.errors import BadRequest, ExplorerError
from explorer.events.chain import Gap
from explorer.events.event import Event, Wanted
from explorer.events.watcher import Listener
from explorer.queries.text import address_key
from explorer.services import Services
from explorer.tasks import end

Push = Callable[[str, Any], Awaitable[None]]
Gone = Callable[[str], None]
Bodies = Callable[[Event], AsyncIterator[Any]]

MOST_ADDRESSES: Final = 1000
NOT_ALL: Final = "subscribeNewTransaction not enabled: subscribe to addresses"

BLOCKS: Final = Wanted(frozenset(("block",)))


class Subscription:
    """A listener and the task that passes on what it hears, under the id of the message that asked for it."""

    def __init__(self, s: Services, wanted: Wanted, bodies: Bodies) -> None:
        self._watcher = s.watcher
        self._bodies = bodies
        self._listener: Listener = s.watcher.listen(wanted)
        self._task: asyncio.Task[None] | None = None

    def begin(self, id: str, push: Push, gone: Gone) -> None:
        """Pass on what was heard since the subscription was made; ``gone`` when there will be no more."""

        async def passing() -> None:
            try:
                async for event in self._listener:
                    if isinstance(event, Gap):  # too much has happened to tell it: a new socket begins anew
                        gone(str(event))
                        return
                    async for body in self._bodies(event):
                        await push(id, body)
            except ExplorerError as error:
                gone(str(error))
                return
            gone(self._listener.closed)

        self._task = asyncio.create_task(passing())

    async def end(self) -> None:
        """Hear no more."""
        self._watcher.leave(self._listener)
        if self._task is not None:
            await end(self._task)


class Subscriptions:
    """Those of one socket: one a kind, a new one in the place of the old."""

    def __init__(self, s: Services, push: Push, gone: Gone) -> None:
        self._s, self._push, self._gone = s, push, gone
        self._kept: dict[str, Subscription] = {}
        self._changing = asyncio.Lock()

    async def change(self, id: str, method: str, given: Given) -> bool:
        """Whether the method is one of subscribing; then it is done, and answered before anything is passed on."""
        async with self._changing:
            return await self._change(id, method, given)

    async def _change(self, id: str, method: str, given: Given) -> bool:
        name = method.removeprefix("un").removeprefix("subscribe")
        if method == "subscribeNewTransaction":
            await self._push(id, {"subscribed": False, "message": NOT_ALL})
        elif method.startswith("unsubscribe"):
            await self._end(name)
            await self._push(id, {"subscribed": False})
        elif method in ("subscribeNewBlock", "subscribeAddresses"):
            made = self._blocks() if name == "NewBlock" else self._addresses(given)
            await self._end(name)
            self._kept[name] = made
            await self._push(id, {"subscribed": True})
            made.begin(id, self._push, self._gone)
        else:
            return False
        return True

    async def end(self) -> None:
        """End them all."""
        for name in list(self._kept):
            await self._end(name)

    async def _end(self, name: str) -> None:
        if name in self._kept:
            await self._kept.pop(name).end()

    def _blocks(self) -> Subscription:
        async def bodies(event: Event) -> AsyncIterator[Any]:
            yield {"height": event.value.height, "hash": event.value.hash}

        return Subscription(self._s, BLOCKS, bodies)

    def _addresses(self, given: Given) -> Subscription:
        addresses, mined = self._named(given), ask.flag(given, "newBlockTxs")

        async def bodies(event: Event) -> AsyncIterator[Any]:
            if event.mined and not mined:
                return
            found = await self._s.db.fenced(chain.with_scripts, event.value)
            for address in sorted(addresses & event.addresses):
                yield {"address": address, "tx": found.value}

        return Subscription(self._s, Wanted(frozenset(("transaction",)), addresses), bodies)

    def _named(self, given: Given) -> frozenset[str]:
        """The addresses that a message names; BadRequest when one is none."""
        named = given.get("addresses")
        if not isinstance(named, list) or not named or not all(isinstance(text, str) for text in named):
            raise BadRequest("addresses: expected a list of addresses")
        if len(named) > MOST_ADDRESSES:
            raise BadRequest(f"{len(named)} addresses are too many: one socket follows {MOST_ADDRESSES}")
        for text in named:
            address_key(text, self._s.network)
        return frozenset(named)
