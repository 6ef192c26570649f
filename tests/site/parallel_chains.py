"""Parallel chains as the database tells of them: what the readers would have written, for pages to show."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from explorer.parallel.base import ParallelChain
from explorer.parallel.chains import PACKAGED, ChainsFile, read_chains
from explorer.parallel.state import PARALLEL_READINGS, STATE_ID, fingerprint
from indexer.chain.params import COIN

NEVER_DUE = 1 << 52  # milliseconds: nobody asks the chains while the test looks
NOWHERE = "http://127.0.0.1:9"


def chains_file(path: Path) -> ChainsFile:
    """The chains of the main net with endpoints that lead nowhere, launched at heights of the recorded chain."""
    text = re.sub(r"endpoints = \[.*?\]", f'endpoints = ["{NOWHERE}"]', PACKAGED.read_text(), flags=re.DOTALL)
    text = re.sub(r"launch_height = \d+", "launch_height = 1900", text)
    path.write_text(re.sub(r"mining_from = \d+", "mining_from = 1850", text))
    return read_chains(path)


def outstanding(chain: ParallelChain) -> int:
    """What circulates on a chain in these tests, in zatoshi: another number on each."""
    return (len(chain.name) * 1000 + 7) * COIN + 123


def row(chain: ParallelChain, **changed: Any) -> dict[str, Any]:
    """A chain with a fresh reading, as it is kept."""
    held = [0] * len(chain.issuers)
    held[0] = chain.minted - outstanding(chain) - 5 * COIN
    held[1] = 5 * COIN
    return {
        "of": fingerprint(chain), "minted": chain.minted, "held": held, "time": int(time.time()) - 20, "block": 123456,
        "state": "fresh", "reason": None, "due": NEVER_DUE, "failures": 0, "failed": 0, "rest": [], **changed,
    }  # fmt: skip


@dataclass(frozen=True)
class Together:
    """What is kept of the last time when all chains were read together; ``minted`` coins more than there should be."""

    stale: bool = False
    minted: int = 0


@dataclass(frozen=True)
class Situation:
    """What is kept: when all chains were read together, None never; and what is not fresh of a chain, by key.

    None as what is not fresh: a chain that was never read.
    """

    together: Together | None = Together()
    chains: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)


STALE: Mapping[str, Any] = {"state": "stale", "reason": "no connection to 127.0.0.1:9", "time": int(time.time()) - 5000}
SITUATIONS = {
    "fresh": Situation(),
    "stale": Situation(Together(stale=True), {"kda": STALE}),
    "stale, read together lately": Situation(chains={"kda": STALE}),
    "never read": Situation(None, {"algo": None}),
    "not read together": Situation(None),
    "minted unbacked": Situation(Together(minted=500_000_000)),
}


class Readings:
    """The kept readings of a database; ``tip`` is the height and hash of the block that all chains were read at."""

    def __init__(self, uri: str, name: str, file: ChainsFile, tip: tuple[int, bytes]) -> None:
        self._client: MongoClient[dict[str, Any]] = MongoClient(uri)
        self._rows = self._client[name][PARALLEL_READINGS]
        self.chains = file.chains
        self._tip = tip
        self.revision = 0

    def write(self, situation: Situation) -> None:
        """All chains with a fresh reading, but for what is not fresh."""
        self.revision += 1
        together, rows = situation.together, {}
        for chain in self.chains:
            changed = situation.chains.get(chain.key, {})
            if changed is not None:
                rows[chain.key] = row(chain, **changed)
        state = {
            "revision": self.revision, "due": NEVER_DUE, "cut_stale": together is not None and together.stale,
            "chains": rows, "cut": None if together is None else self._cut(together.minted * COIN),
        }  # fmt: skip
        self._rows.replace_one({"_id": STATE_ID}, state, upsert=True)

    def _cut(self, minted: int) -> dict[str, Any]:
        amounts = {chain.key: outstanding(chain) for chain in self.chains}
        amounts[self.chains[0].key] += minted
        return {"height": self._tip[0], "hash": self._tip[1], "time": int(time.time()) - 15, "outstanding": amounts}

    def write_hours(self, hours: int) -> None:
        """What was outstanding in so many hours; every seventh without a cut and without the last chain."""
        now = int(time.time()) // 3600
        for n in range(hours):
            amounts = {chain.key: outstanding(chain) + n * COIN for chain in self.chains}
            kept: dict[str, Any] = {"time": (now - hours + n) * 3600 + 1800, "height": 2300 + n, "outstanding": amounts}
            if n % 7 == 6:
                amounts.pop(self.chains[-1].key)
            else:
                kept["total"] = sum(amounts.values())
            self._rows.replace_one({"_id": (now - hours + n) * 3600}, kept, upsert=True)

    def close(self) -> None:
        """Take everything away again."""
        self._rows.drop()
        self._client.close()
