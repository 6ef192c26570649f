"""How fast the page of an address with a million transactions is: ``python -m bench.million``.

The first blocks of a demo chain are indexed as always. Then the last of them is written again and again in the
encoders' form, each time at the next height: the address that its coinbase pays has one transaction more, unspent.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.answers import NOT_KEPT, WARM, Ask, Times, times, with_state
from bench.catchup import cpu_seconds
from bench.page import measured_on, publish
from explorer.app import create_app
from explorer.services import Services
from indexer.chain.address import encode_address
from indexer.chain.hashes import sha256d
from indexer.chain.keys import first_outkey, outkey, txkey
from indexer.config import Config, load_config
from indexer.demo import blocks
from indexer.demo.builder import Builder
from indexer.demo.chain import DemoChain
from indexer.demo.files import FILE_NAME, BlockFile
from indexer.demo.network import demo_network
from indexer.parse import parse_block
from indexer.state.apply import ChainState
from indexer.state.delta import AppliedBlock, Coin, LedgerRow
from indexer.store import embedded
from indexer.store.commit import commit
from indexer.store.encode import (
    block_document,
    coin_document,
    ledger_document,
    payouts_document,
    transaction_documents,
)
from indexer.store.mongo import MongoStore
from indexer.store.read import StoreReader
from indexer.store.rewind import recover
from indexer.store.schema import late_indexes
from indexer.store.setup import create_index, prepare

TRANSACTIONS = 1_000_000
FIRST_BLOCKS = 60
BATCH = 20_000  # rows of an insert
QUESTIONS = 100  # of each kind; the processor time of mongod is told in hundredths of a second
BUDGET_MS = 50
SPACING = 30  # seconds between blocks
VIEWS = ("history", "utxos", "statement")
"""The lists of the page that grow with the transactions."""
WRITTEN = ("transactions", "payouts", "ledger", "blocks", "utxos")
MEMORY = 1 << 28
CACHE_MIB = 1024  # of MongoDB


@dataclass(frozen=True, slots=True)
class Page:
    """A first page: milliseconds until it was there, and of processor time of site and server for one."""

    times: Times
    site: float
    server: float


@dataclass(frozen=True, slots=True)
class Longest:
    """The last indexed block, what it left the address with that its coinbase pays, and what it paid, zatoshi."""

    block: AppliedBlock
    row: LedgerRow
    value: int


def indexed(store: MongoStore, folder: Path) -> Longest:
    """Index the first blocks of a demo chain; its last block has nothing but a coinbase."""
    network = demo_network()
    chain = DemoChain(network, BlockFile(folder / FILE_NAME, network.magic))
    chain.append(blocks.genesis(network))
    builder = Builder(chain, 1)
    begun = int(time.time()) - (TRANSACTIONS + FIRST_BLOCKS) * SPACING
    builder.build(FIRST_BLOCKS, begun)
    prepare(store, network)
    tip = recover(store, "bench")
    state = ChainState(network, StoreReader(store), MEMORY)
    raws = [chain.raw(place) for place in chain.active]
    delta = state.apply([parse_block(raw, full_ids=True) for raw in raws])
    commit(store, delta, tip, 0)
    last = delta.blocks[-1]
    (row,) = (entry for entry in last.ledger if entry.positions == (0,))
    made = (coin for coin in delta.made.values() if coin.outkey >= first_outkey(last.height))
    return Longest(last, row, sum(coin.value for coin in made if coin.address == row.address))


def continued(longest: Longest, first: int, last: int) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """The rows of the blocks from ``first`` to ``last``, some at a time; each pays the address once."""
    block, payouts, row = block_document(longest.block), payouts_document(longest.block), longest.row
    (coinbase,) = transaction_documents(longest.block)
    value = longest.value
    for begin in range(first, last + 1, BATCH):
        rows: dict[str, list[dict[str, Any]]] = {name: [] for name in WRITTEN}
        for height in range(begin, min(begin + BATCH, last + 1)):
            more, txid = height - row.height, sha256d(height.to_bytes(4, "little"))
            at = block["time"] + more * SPACING
            rows["blocks"].append({**block, "_id": height, "hash": txid, "time": at, "max_time": at})
            rows["transactions"].append({**coinbase, "_id": txkey(height, 0), "txid": txid})
            rows["payouts"].append({**payouts, "_id": height})
            rows["utxos"].append(coin_document(txid + bytes(4), Coin(outkey(height, 0, 0), row.address, value, 0)))
            kept = LedgerRow(
                row.address, height, row.balance + more * value, row.received + more * value, row.tx_count + more,
                row.utxo_count + more, (0,),
            )  # fmt: skip
            rows["ledger"].append(ledger_document(kept))
        yield rows


def fill_database(store: MongoStore, folder: Path, transactions: int) -> str:
    """Give one address so many transactions; the address as text."""
    longest = indexed(store, folder)
    first, last = longest.row.height + 1, longest.row.height + transactions - longest.row.tx_count
    newest: dict[str, Any] = {}
    for rows in continued(longest, first, last):
        for collection, documents in rows.items():
            store.insert(collection, documents)
        newest = rows["blocks"][-1]
    tip = store.meta("tip")
    assert tip is not None
    store.move_tip(tip, {**tip, "height": newest["_id"], "hash": newest["hash"], "time": newest["time"]})
    for late, index in late_indexes():
        create_index(store.database, late, index)
    ready = [f"{late.name}.{index.name}" for late, index in late_indexes()]
    store.put_meta("indexes", {"ready": ready, "building": {}})
    return encode_address(longest.row.address, demo_network())


async def asked(config: Config, address: str, transactions: int, mongod: int) -> dict[str, Page]:
    """The first page of each list, as a page and as JSON, when nothing is kept; ``mongod`` is the server's pid."""
    app = create_app(config)
    async with app.router.lifespan_context(app) as state:
        assert state is not None
        services: Services = state["services"]
        transport = httpx.ASGITransport(with_state(app, state))
        async with httpx.AsyncClient(transport=transport, base_url="http://explorer") as client:

            def ask(path: str, accept: str) -> Ask:
                return lambda: client.get(path, headers={"Accept": accept, **NOT_KEPT})

            told = (await client.get(f"/api/v1/addresses/{address}")).json()
            assert told["transaction_count"] == told["utxo_count"] == transactions, told
            found = {}
            for what, path, accept in questions(address):
                await times(services, [ask(path, accept)] * WARM)
                site, server = time.process_time(), cpu_seconds(mongod)
                took = await times(services, [ask(path, accept)] * QUESTIONS)
                used = time.process_time() - site, cpu_seconds(mongod) - server
                found[what] = Page(took, *(1000 * seconds / QUESTIONS for seconds in used))
            return found


def questions(address: str) -> Iterator[tuple[str, str, str]]:
    """What is asked: its name, path and Accept header."""
    for view in VIEWS:
        yield f"page, {view}", f"/address/{address}?view={view}", "text/html"
    yield "JSON, summary", f"/api/v1/addresses/{address}", "application/json"
    yield "JSON, transactions", f"/api/v1/addresses/{address}/transactions", "application/json"
    yield "JSON, utxos", f"/api/v1/addresses/{address}/utxos", "application/json"


def run(transactions: int) -> dict[str, Page]:
    """Fill a database of its own and ask."""
    with tempfile.TemporaryDirectory(prefix="flux-bench-million-") as name:
        folder = Path(name)
        with embedded.start(folder / "mongod", cache_mib=CACHE_MIB) as server:
            with closing(MongoStore(server.uri, "flux")) as store:
                address = fill_database(store, folder, transactions)
            environ = {
                "FLUX_NETWORK_NAME": "demo", "FLUX_DATABASE_URI": server.uri, "FLUX_DATABASE_NAME": "flux",
                "FLUX_PARALLEL_ENABLED": "false",
            }  # fmt: skip
            return asyncio.run(asked(load_config(environ=environ), address, transactions, server.pid))


def table(found: dict[str, Page]) -> str:
    """The table of docs/measurements.md."""
    lines = ["| first page | median | longest | processor time of site and mongod | budget |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for what, page in found.items():
        took, used = page.times, f"{page.site:.1f} ms and {page.server:.1f} ms"
        lines.append(f"| {what} | {took.median:.0f} ms | {took.worst:.0f} ms | {used} | {BUDGET_MS} ms |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Fill and measure; two minutes."""
    parser = argparse.ArgumentParser(prog="python -m bench.million", description=__doc__)
    parser.add_argument("--transactions", type=int, default=TRANSACTIONS, help="of the address")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/measurements.md")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    told = table(run(given.transactions))
    text = f"{given.transactions:,} transactions in as many blocks, {QUESTIONS} questions of each kind."
    publish("million", f"{told}\n{measured_on(load, text)}", write=given.write)


if __name__ == "__main__":
    main()
