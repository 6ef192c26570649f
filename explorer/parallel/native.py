"""Which block was the tip of the native chain at a moment."""

from __future__ import annotations

import asyncio
from typing import Final

from explorer.daemon import Daemon
from explorer.db import Database, View
from explorer.errors import ExplorerError
from indexer.chain.keys import parse_hash
from indexer.errors import SourceError

PATIENCE_SECONDS: Final = 5.0
PAUSE_SECONDS: Final = 0.1


class NativeTip:
    """The daemon's word on its tip; without a daemon the index's, when it has heard of nothing beyond."""

    def __init__(self, database: Database, daemon: Daemon) -> None:
        self._database = database
        self._daemon = daemon

    async def hash(self) -> bytes:
        """The hash (wire order) of the block that is the tip at this moment; FluxError when nobody can say."""
        if self._daemon.is_configured:
            told = await self._daemon.call("getbestblockhash")
            try:
                return parse_hash(told)
            except (TypeError, ValueError, AttributeError):
                raise SourceError("the daemon gave no block hash") from None
        meta = self._database.meta
        if meta.tip is None or meta.behind != 0:
            raise SourceError("the index is behind the chain")
        return meta.tip.hash

    async def height(self, block_hash: bytes) -> int | None:
        """The height of a block once it is indexed, waited for up to five seconds; None if it never comes."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while True:
            try:
                found = (await self._database.fenced(_height, block_hash)).value
            except ExplorerError:
                found = None
            if found is not None or asyncio.get_running_loop().time() > deadline:
                return found
            await asyncio.sleep(PAUSE_SECONDS)


async def _height(view: View, block_hash: bytes) -> int | None:
    row = await view.one("blocks", {"hash": block_hash, "_id": {"$lte": view.tip.height}})
    return None if row is None else int(row["_id"])


