"""A chain that grows along two branches, goes back and dies now and then, in a real database."""

from __future__ import annotations

import random
from collections.abc import Collection
from typing import Any

from indexer.chain.address import encode_address
from indexer.chain.keys import outpoint_text
from indexer.errors import Unavailable
from indexer.store.codec import transaction_outputs
from indexer.store.mongo import MongoStore
from tests import recorded
from tests.indexed import Index, branch, chain, network

FORK, LOST = branch("R2")
BRANCHES = ((*chain()[: FORK + 1], *LOST), chain()[: FORK + 16])  # both end a little above the fork
LOWEST = FORK - 8


class Killed(Unavailable):
    """The store died in the middle of something."""


class MortalStore(MongoStore):
    """A real store that dies at the k-th write from now on."""

    lives: int | None = None

    def _count(self) -> None:
        if self.lives is not None:
            self.lives -= 1
            if self.lives <= 0:
                raise Killed("killed")

    def insert(self, *given: Any) -> None:
        self._count()
        super().insert(*given)

    def replace(self, *given: Any) -> None:
        self._count()
        super().replace(*given)

    def update(self, *given: Any) -> None:
        self._count()
        super().update(*given)

    def delete(self, *given: Any) -> None:
        self._count()
        super().delete(*given)

    def move_tip(self, *given: Any) -> None:
        self._count()
        super().move_tip(*given)


class Chain:
    """An index that grows along either branch and goes back, and dies now and then."""

    def __init__(self, store: MortalStore, seed: int) -> None:
        self.store, self.random = store, random.Random(seed)
        self.index = Index(store)
        self.index.catch_up(BRANCHES[0][: LOWEST - 5], 200)
        self.index.catch_up(BRANCHES[0], 1)
        self.branch = BRANCHES[0]
        self.kills = 0

    def step(self, *, mortal: bool = False) -> None:
        """A reorganisation: back to a random block, then some of a random branch."""
        to = self.random.randrange(LOWEST, max(LOWEST + 1, self.index.tip["height"]))
        self.store.lives = self.random.randrange(1, 60) if mortal else None
        try:
            self.index.rewind(to)
            if to <= FORK:
                self.branch = self.random.choice(BRANCHES)
            self.index.catch_up(self.branch[: to + 1 + self.random.randrange(1, 9)], 1)
        except Killed:
            self.kills += 1
            self.store.lives = None
            self.index.restart()
            if self.index.tip["height"] <= FORK:
                self.branch = self.random.choice(BRANCHES)
        self.store.lives = None

    def grow(self) -> None:
        """To the end of the branch."""
        self.index.catch_up(self.branch, 1)

    def outputs(self, addresses: Collection[str], depth: int) -> dict[str, int]:
        """What the chain pays to some addresses with so many confirmations: value by outpoint."""
        last = self.index.tip["height"] + 1 - depth
        return {
            outpoint_text(bytes(row["txid"]) + vout.to_bytes(4, "big")): output.value
            for row in self.store.scan("transactions", 1 << 16, (last + 1) << 16)
            for vout, output in enumerate(transaction_outputs(row))
            if any(output.address) and encode_address(output.address, network()) in addresses
        }


def paid() -> set[str]:
    """The addresses that are paid on both branches where they part."""
    hashes = {*LOST, *BRANCHES[1][LOWEST:]}
    found = (b for b in (*recorded.blocks(), *recorded.stale_blocks()) if b["hash"] in hashes)
    outputs = (output for b in found for tx in b["block"]["tx"] for output in tx.get("vout", ()))
    return {address for output in outputs for address in output["scriptPubKey"].get("addresses", ())}
