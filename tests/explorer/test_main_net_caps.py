"""The caps at heights of the main net: with figures that were measured there, and after the limits are passed."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from typing import Any

import pytest
from pymongo import MongoClient

from explorer.db import open_database
from explorer.labels import load_labels
from explorer.parallel.chains import PACKAGED, read_chains
from explorer.parallel.state import PARALLEL_READINGS, STATE_ID, fingerprint
from explorer.queries.caps import caps
from explorer.queries.supply import supply
from explorer.queries.supply_results import CapCheck, Supply
from indexer.chain.networks import MAIN
from indexer.chain.params import COIN
from indexer.chain.subsidy import block_subsidy, scheduled_issue
from indexer.store.codec import ledger_id
from indexer.store.embedded import drop_database

CAP = 440_000_000 * COIN
SEPTEMBER = 2_996_919  # 2026-09-30
BLOCK_TIME = 1_790_000_000
CHAINS = read_chains(PACKAGED)
FUSION = load_labels(MAIN, "").fusion
# Measured in September 2026: what circulates on each parallel chain, what wallets of Fusion hold natively.
OUTSTANDING = {
    "eth": "156217342.78", "bsc": "60583537.63", "avax": "628582.62", "matic": "647928.73", "base": "2528858.43",
    "trx": "373866.53", "sol": "373067.20", "kda": "798207.66", "erg": "486746.62", "algo": "389643.01",
}  # fmt: skip
HELD = {
    "t1Yum7okNzR5kW84dfgwqB23yy1BCcpHFPq": "411778.46607301",
    "t1abAp9oZenibGLFuZKyUjmL6FiATTaCYaj": "497425.64494216",
    "t1cjcLaDHkNcuXh6uoyNL7u1jx7GxvzfYAN": "500000",
    "t3ThbWogDoAjGuS6DEnmN1GWJBRbVjSUK4T": "160000029.15355733",
    "t3KXyFLuvvdMFVWb65LNiXGFwidrqE2NP9U": "37000000",
}


def flux(text: str) -> int:
    """Zatoshi of an amount in FLUX."""
    return int(Decimal(text) * COIN)


def block(height: int, unclaimed: int = flux("2078.55201697")) -> dict[str, Any]:
    """A block whose running totals lack so much of the schedule; the pools are those of September 2026."""
    issued = scheduled_issue(MAIN, height) - unclaimed
    sprout, sapling = flux("19291.17735041"), flux("77188.75921324")
    return {
        "_id": height, "hash": height.to_bytes(32, "little"), "time": BLOCK_TIME + height, "issued": issued,
        "transparent": issued - sprout - sapling, "sprout": sprout, "sapling": sapling, "unspendable": 0,
    }  # fmt: skip


def rows_of(height: int) -> dict[str, list[dict[str, Any]]]:
    """The rows that the questions read, by collection."""
    tip = block(height)
    amounts = {key: flux(text) for key, text in OUTSTANDING.items()}
    now = int(time.time())
    chains = {
        chain.key: {
            "of": fingerprint(chain), "minted": chain.minted, "held": [chain.minted - amounts[chain.key]]
            + [0] * (len(chain.issuers) - 1), "time": now, "block": 1, "state": "fresh", "reason": None,
        }
        for chain in CHAINS.chains
    }  # fmt: skip
    cut = {"height": height, "hash": tip["hash"], "time": now, "outstanding": amounts}
    keys = {wallet.address: wallet.key for wallet in FUSION}
    return {
        "blocks": [tip, *(block(h) for h in (3_730_283, 3_758_893) if h < height)],
        "ledger": [{"_id": ledger_id(keys[address], 2_900_000), "b": flux(text)} for address, text in HELD.items()],
        "meta": [
            {"_id": "tip", "height": height, "hash": tip["hash"], "time": tip["time"], "epoch": 0, "dirty": False,
             "reorgs": 0}
        ],
        PARALLEL_READINGS: [{"_id": STATE_ID, "revision": 1, "cut_stale": False, "cut": cut, "chains": chains}],
    }  # fmt: skip


def answered(uri: str, name: str, height: int) -> tuple[dict[str, CapCheck], Supply]:
    """The caps by name, and the supply, of a database with these rows."""

    async def ask() -> tuple[dict[str, CapCheck], Supply]:
        async with open_database(uri, name, MAIN, chains=CHAINS) as db:
            found = (await db.fenced(caps, wallets=FUSION)).value
            return {check.name: check for check in found.checks}, (await db.fenced(supply, wallets=FUSION)).value

    client: MongoClient[dict[str, Any]] = MongoClient(uri)
    for collection, rows in rows_of(height).items():
        client[name][collection].insert_many(rows)
    client.close()
    try:
        return asyncio.run(ask())
    finally:
        drop_database(uri, name)


def passing(limit: int, value: int, height: int) -> int:
    """The first height above ``height`` at which ``value`` and what blocks to come make pass a limit."""
    while value <= limit:
        height += 1
        value += block_subsidy(MAIN, height)
    return height


def test_the_figures_of_september_2026(mongod: str, database_name: str) -> None:
    checks, found = answered(mongod, database_name, SEPTEMBER)
    tip = block(SEPTEMBER)
    formula, addresses = checks["whitepaper_440m_formula"], checks["whitepaper_440m_addresses"]
    assert (formula.value, formula.state) == (42059029449914850, "within")
    assert formula.crosses == formula.crosses_by_schedule
    assert formula.crosses is not None and formula.crosses.height == 3_758_893
    assert formula.crosses.time == tip["time"] + (3_758_893 - SEPTEMBER) * 30

    held, outstanding = sum(map(flux, HELD.values())), sum(map(flux, OUTSTANDING.values()))
    assert held == found.native.fusion.held == flux("198409233.2645725")
    assert found.native.fusion.held - found.native.fusion.held_without_third_party == flux("37000000")
    assert addresses.value == found.native.total - held + outstanding == found.totals.all_chains_addresses
    assert (addresses.state, addresses.crosses) == ("exceeded", None)
    assert addresses.headroom == CAP - addresses.value < 0
    assert found.totals.all_chains_formula != found.totals.all_chains_addresses

    native = checks["native_440m"]
    assert (native.state, native.value) == ("within", tip["issued"])
    assert native.crosses_by_schedule is not None and native.crosses_by_schedule.height == 3_730_283
    assert native.crosses is not None and native.crosses.height == passing(CAP, tip["issued"], SEPTEMBER) > 3_730_283
    announced = checks["announced_560m"].crosses_by_schedule
    assert announced is not None and announced.height == 31_119_706
    assert found.next_reduction is not None and found.next_reduction.height == 3_071_200


@pytest.mark.parametrize(
    ("height", "state"),
    [(3_730_283, "within"), (3_730_447, "within"), (3_730_448, "exceeded"), (3_731_000, "exceeded")],
)
def test_native_coins_pass_the_limit_later_than_the_schedule(
    mongod: str, database_name: str, height: int, state: str
) -> None:
    native = answered(mongod, database_name, height)[0]["native_440m"]
    assert native.state == state
    assert native.crosses_by_schedule is not None
    assert (native.crosses_by_schedule.height, native.crosses_by_schedule.time) == (3_730_283, BLOCK_TIME + 3_730_283)
    assert (native.crosses is None) == (state == "exceeded")
    if native.crosses is not None:
        assert native.crosses.height == passing(CAP, block(height)["issued"], height)


def test_the_formula_passes_the_limit_at_its_height(mongod: str, database_name: str) -> None:
    formula = answered(mongod, database_name, 3_800_000)[0]["whitepaper_440m_formula"]
    assert (formula.state, formula.crosses) == ("exceeded", None)
    assert formula.crosses_by_schedule is not None
    assert (formula.crosses_by_schedule.height, formula.crosses_by_schedule.time) == (3_758_893, BLOCK_TIME + 3_758_893)
