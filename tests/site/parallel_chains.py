"""Parallel chains as the database tells of them: what the readers would have written, for pages to show."""

from __future__ import annotations

import re
import time
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


class Readings:
    """The kept readings of a database; ``tip`` is the height and hash that the cut is of."""

    def __init__(self, uri: str, name: str, file: ChainsFile, tip: tuple[int, bytes]) -> None:
        self._client: MongoClient[dict[str, Any]] = MongoClient(uri)
        self._rows = self._client[name][PARALLEL_READINGS]
        self.chains = file.chains
        self._tip = tip
        self._revision = 0

    def write(self, **changed: dict[str, Any]) -> None:
        """All chains fresh and read together, but for what is changed by key; None as a state takes the row away."""
        chains = {chain.key: row(chain, **changed.get(chain.key, {})) for chain in self.chains}
        self._revision += 1
        height, block_hash = self._tip
        self._put(
            revision=self._revision, due=NEVER_DUE, cut_stale=changed.get("cut", {}).get("stale", False),
            chains={key: kept for key, kept in chains.items() if kept["state"] != "none"},
            cut=None if changed.get("cut", {}).get("none") else {
                "height": height, "hash": block_hash, "time": int(time.time()) - 15,
                "outstanding": {chain.key: outstanding(chain) for chain in self.chains},
            },
        )  # fmt: skip

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
        """Let the connection go."""
        self._client.close()

    def _put(self, **state: Any) -> None:
        self._rows.replace_one({"_id": STATE_ID}, state, upsert=True)
