"""Blocks through FluxOS gateways, for people without a daemon: slow, and from nodes that may disagree.

Behind a gateway stand many nodes, each at its own tip, which take turns in answering. So the chain that we hold is
kept until the gateway proves another one: by blocks that link to a block of ours and reach higher than we are, or by
denying our tip for minutes. Every block's hash is computed from its bytes; that it is the one asked for, or the child
of the one before, is checked here, its merkle root by ``check``. Proof of work or node is the gateway's word.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import RLock
from typing import Any, TypeVar

from indexer.errors import ChainError, ConfigError, Garbled, ParseError, Refused, WarmingUp
from indexer.source.base import HASH_BYTES, NO_PARENT, DaemonStatus, RawBlock
from indexer.source.blkscan import hash_at_front
from indexer.source.envelope import Gateways
from indexer.source.jsonrpc import OUT_OF_RANGE
from indexer.source.retry import TEMPORARY
from indexer.source.window import Window

FRESH_SECONDS = 10.0
"""A status younger than this is not asked for again: gateways cache their own for 30 seconds."""

PERSISTS_SECONDS = 180.0
"""How long every answer must deny our tip before a branch that is no longer than ours is believed."""

DEEPEST_BRANCH = 100
_REMEMBERED = 1000
_MOST_BLOCKS = 40
_LONG_WAY = 1000  # blocks; a way as long as this is worth a word about how long it will take
_TELL_SECONDS = 1800.0
_CLOSING_SECONDS = 2.0

T = TypeVar("T")

log = logging.getLogger(__name__)


class GatewaySource:
    """A source of blocks over ``gateways``.

    ``ours`` gives the hashes of the blocks that we hold, up to height ``tip``; ``check`` raises ParseError or
    ChainError for a block whose bytes are damaged; ``genesis`` is the hash of our network's block 0.
    """

    def __init__(
        self,
        gateways: Gateways,
        *,
        tip: int,
        ours: Callable[[int], bytes | None],
        check: Callable[[RawBlock], object],
        genesis: bytes,
        fresh_seconds: float = FRESH_SECONDS,
        persists_seconds: float = PERSISTS_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gateways = gateways
        self._ours, self._check, self._genesis = ours, check, genesis
        self._fresh, self._persists, self._clock = fresh_seconds, persists_seconds, clock
        self._known: dict[int, bytes] = {}  # of the chain as given out or proven, over what we hold
        self._proven: dict[int, RawBlock] = {}  # a branch that won, until it is fetched
        self._tip = tip
        self._one_at_a_time = RLock()  # a question may outlive the follower that asked it
        self._status: DaemonStatus | None = None
        self._asked_at = 0.0
        self._denied_since: float | None = None
        self._verified: set[str] = set()
        self._window = Window(size=8, most=_MOST_BLOCKS)
        self._pace = _Pace(clock)

    def close(self) -> None:
        """Drop the connections, as soon as the question under way has ended."""
        self._gateways.end()
        if self._one_at_a_time.acquire(timeout=_CLOSING_SECONDS):
            self._one_at_a_time.release()
        self._gateways.close()

    # -- the chain's tip

    def status(self) -> DaemonStatus:
        """Where the chain is that we believe in: at our tip, unless the gateway's tip is above it."""
        with self._one_at_a_time:
            now = self._clock()
            if self._status is None or now - self._asked_at >= self._fresh:
                told = self._ask("getblockchaininfo", read=self._read_status)
                self._status, self._asked_at = self._believed(told, now), now
            return self._status

    def _read_status(self, chain: Any) -> DaemonStatus:
        try:
            height, headers, best, name = chain["blocks"], chain["headers"], chain["bestblockhash"], chain["chain"]
            urls = self._gateways.urls
            told = DaemonStatus(
                height=int(height),
                headers=max(int(headers), int(height)),
                best_hash=_hash(best),
                chain=str(name),
                version=0,
                subversion="FluxOS gateway",
                connections=len(urls),
                url=", ".join(urls),
            )
        except (KeyError, TypeError, ValueError):
            raise Garbled("a gateway described its chain in an unknown form: asking again") from None
        return told

    def _ask(self, method: str, *params: object, read: Callable[[Any], T]) -> T:
        """Ask; a refusal may be one node's alone, and is waited out."""
        try:
            return self._gateways.ask(method, *params, read=read)
        except Refused as refused:
            raise WarmingUp(f"a gateway's {refused}: asking again") from None

    def _believed(self, told: DaemonStatus, now: float) -> DaemonStatus:
        tip_hash = self._our_hash(self._tip)
        if told.height > self._tip or tip_hash is None:
            return told
        ours = replace(told, height=self._tip, headers=max(told.headers, self._tip), best_hash=tip_hash)
        if self._our_hash(told.height) == told.best_hash:
            self._denied_since = None
        elif self._denied_since is None:
            self._denied_since = now
        elif now - self._denied_since >= self._persists:
            self._denied_since = None
            branch = self._branch_below(self._block_by_hash(told.height, told.best_hash))
            log.warning("the gateways have denied our block %d for %.0f s", self._tip, self._persists)
            self._believe(branch)
            return replace(told, headers=told.height)
        return ours

    def _our_hash(self, height: int) -> bytes | None:
        return NO_PARENT if height < 0 else self._known.get(height) or self._ours(height)

    # -- hashes and blocks

    def hashes(self, heights: Sequence[int]) -> list[bytes | None]:
        """The hashes of the chain that we believe in; block 0 is what the gateways say it is."""
        with self._one_at_a_time:
            return [self._hash_at(height) for height in heights]

    def _hash_at(self, height: int) -> bytes | None:
        if height == 0:
            return self._checked_genesis()
        known = self._our_hash(height)
        if known is not None:
            self._tip = max(self._tip, height)
            return known
        try:
            return self._gateways.ask("getblockhash", height, read=_hash)
        except Refused as refused:
            if refused.code == OUT_OF_RANGE:
                return None
            raise WarmingUp(f"a gateway's {refused}: asking again") from None

    def _checked_genesis(self) -> bytes:
        """Block 0 of the gateways; those that have another one than we are not asked any more."""
        for url in self._gateways.urls:
            if url in self._verified:
                continue
            try:
                found = self._gateways.ask_at(url, "getblockhash", 0, read=_hash)
            except TEMPORARY:
                if self._verified or url != self._gateways.urls[-1]:
                    continue
                raise
            if found != self._genesis and len(self._gateways.urls) == 1:
                raise ConfigError(
                    f"the gateway {url} is on another network: its block 0 is {found[::-1].hex()}, ours "
                    f"{self._genesis[::-1].hex()}; set daemon.gateway or network.name to match"
                )
            if found != self._genesis:
                log.warning("the gateway %s is on another network: it is not asked any more", url)
                self._gateways.drop(url)
            else:
                self._verified.add(url)
        return self._genesis

    def blocks(self, first: int, last: int) -> list[RawBlock]:
        """Blocks that follow our block below ``first``, at most to ``last``; WarmingUp while the nodes disagree."""
        with self._one_at_a_time:
            return self._blocks(first, last)

    def _blocks(self, first: int, last: int) -> list[RawBlock]:
        self._forget_from(first)
        parent = self._our_hash(first - 1)
        proven = self._proven.pop(first, None)
        if proven is not None and proven.prev_hash == parent:
            return self._give([proven])
        self._proven.clear()
        found = self._fetch(range(first, min(last, first + self._window.size - 1) + 1))
        if found and parent is not None and found[0].prev_hash != parent:
            self._believe(self._branch_below(found[0]))
            raise WarmingUp(f"the gateways moved to another branch below block {first}: going over to it")
        chain = _linked(found)
        if chain:
            self._confirm(chain[-1])
        self._pace.tell(len(chain), last - first + 1)
        return self._give(chain)

    def _forget_from(self, height: int) -> None:
        for above in [known for known in self._known if known >= height and known not in self._proven]:
            del self._known[above]
        self._tip = height - 1

    def _fetch(self, heights: range) -> list[RawBlock]:
        params = [(height, 0) for height in heights]
        try:
            return self._gateways.ask_many("getblock", params, lambda place, hex_: self._block(heights[place], hex_))
        except Refused as refused:
            raise WarmingUp(f"a gateway's {refused} (block {heights.start}): asking again") from None

    def _give(self, chain: list[RawBlock]) -> list[RawBlock]:
        for block in chain:
            self._known[block.height] = block.hash
            self._known.pop(block.height - _REMEMBERED, None)
            self._tip = block.height
        self._window.note([len(block.raw) for block in chain])
        return chain

    def _confirm(self, block: RawBlock) -> None:
        """Ask again, which is another node's turn, so that one node alone cannot put a block on our tip."""
        if self._ask("getblockhash", block.height, read=_hash) != block.hash:
            raise WarmingUp(f"the gateways' nodes disagree about block {block.height}: asking again")

    # -- branches

    def _branch_below(self, block: RawBlock) -> list[RawBlock]:
        """The blocks from ``block`` down to the first whose parent is ours, lowest first; WarmingUp if none is."""
        branch = [block]
        while branch[-1].prev_hash != self._our_hash(branch[-1].height - 1):
            if len(branch) == DEEPEST_BRANCH or branch[-1].height == 0:
                raise WarmingUp(f"the gateways' block {block.height} is not of our chain: waiting until they agree")
            branch.append(self._block_by_hash(branch[-1].height - 1, branch[-1].prev_hash))
        return branch[::-1]

    def _believe(self, branch: Sequence[RawBlock]) -> None:
        """Put a proven branch in the place of ours."""
        log.info("the gateways' chain left ours above block %d", branch[0].height - 1)
        self._proven = {block.height: block for block in branch}
        self._known.update((block.height, block.hash) for block in branch)
        for height in [height for height in self._known if height > branch[-1].height]:
            del self._known[height]
        self._tip = branch[-1].height
        self._status = None

    def _block_by_hash(self, height: int, hash_: bytes) -> RawBlock:
        def read(hex_: Any) -> RawBlock:
            block = self._block(height, hex_)
            if block.hash != hash_:
                raise Garbled(f"a gateway gave another block than {hash_[::-1].hex()}: asking again")
            return block

        return self._ask("getblock", hash_[::-1].hex(), 0, read=read)

    def _block(self, height: int, answer: object) -> RawBlock:
        try:
            raw = bytes.fromhex(str(answer))
        except ValueError:
            raw = b""
        hash_ = hash_at_front(raw)
        if hash_ is None:
            raise Garbled(f"a gateway gave no bytes for block {height}: asking again")
        block = RawBlock(height, hash_, raw)
        try:
            self._check(block)
        except (ParseError, ChainError) as error:
            raise Garbled(f"a gateway gave a damaged block, asking again: {error}") from None
        return block


class _Pace:
    """Says how long a long way will take."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._started: float | None = None
        self._told_at: float | None = None
        self._blocks = 0

    def tell(self, came: int, left: int) -> None:
        """Note that so many blocks came of those that were left."""
        now = self._clock()
        if self._started is None:
            self._started = now
            return
        self._blocks += came
        if left < _LONG_WAY or not self._blocks or (self._told_at and now - self._told_at < _TELL_SECONDS):
            return
        self._told_at = now
        rate = self._blocks / max(now - self._started, 0.001)
        log.warning(
            "%d blocks are missing and come through the gateway at %.1f a second: about %.1f hours; a daemon of your "
            "own is faster (daemon.url, daemon.blocks_dir)",
            *(left, rate, left / rate / 3600),
        )


def _hash(text: Any) -> bytes:
    try:
        wire = bytes.fromhex(text)[::-1]
    except (TypeError, ValueError):
        wire = b""
    if len(wire) != HASH_BYTES:
        raise Garbled("a gateway gave a block hash that is none: asking again")
    return wire


def _linked(blocks: Sequence[RawBlock]) -> list[RawBlock]:
    """The blocks up to the first that is not the child of the one before it."""
    chain = list(blocks[:1])
    for block in blocks[1:]:
        if block.prev_hash != chain[-1].hash:
            break
        chain.append(block)
    return chain
