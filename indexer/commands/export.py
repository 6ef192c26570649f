"""``export``: the balances of all addresses after a block, as CSV, proved by the block's own total."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Final

from indexer.chain.address import encode_address
from indexer.chain.keys import NO_ADDRESS, VOUT_BITS, hash_text, txkey
from indexer.chain.params import COIN
from indexer.commands.database import readable
from indexer.config import Config
from indexer.errors import StoreError, Unavailable
from indexer.progress import Progress
from indexer.store.codec import transaction_row
from indexer.store.mongo import MongoStore
from indexer.verify.movements import coins_of
from indexer.verify.view import View

WHAT: Final = ("balances",)
COLUMNS: Final = ("address", "balance")
CHUNK: Final = 1000  # outputs whose spending is looked up together
FOUND: Final = 1


def run(config: Config, what: str, height: int | None, output: str) -> int:
    """Write ``what`` after block ``height``, the tip by default, to a file, "-" for standard output.

    1 when the balances do not add up to the total of the block.
    """
    progress = Progress(sys.stderr)
    with readable(config) as uri, closing(MongoStore(uri, config.database_name)) as store:
        view = View(store, progress)
        height = view.height if height is None else height
        if not 0 <= height <= view.height:
            raise Unavailable(f"there is no block {height}: the index reaches from block 0 to block {view.height}")
        if "transactions.spends" not in (store.meta("indexes") or {}).get("ready", ()):
            raise Unavailable("the index of spent outputs is not built yet: see flux-explorer status, try again later")
        try:
            return _export(config, store, view, height, output)
        finally:
            progress.end()


def _export(config: Config, store: MongoStore, view: View, height: int, output: str) -> int:
    (block,) = store.scan("blocks", height, height + 1)
    addresses = held = 0
    with _opened(output) as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for key, balance in view.told(balances(store, height), "balances", block["txouts"], "address"):
            writer.writerow((encode_address(key, config.network), coins(balance)))
            addresses += 1
            held += balance
        without = without_address(store, height)
        view.check()
    total = block["transparent"]
    print(
        f"block {height:,} {hash_text(bytes(block['hash']))}: {addresses:,} addresses hold {coins(held)}, outputs "
        f"without an address {coins(without)}; the transparent total is {coins(total)}",
        file=sys.stderr,
    )
    if held + without == total:
        return 0
    print(f"they differ by {coins(abs(total - held - without))}: run flux-explorer verify", file=sys.stderr)
    return FOUND


def balances(store: MongoStore, height: int) -> Iterator[tuple[bytes, int]]:
    """Address keys with their balances after block ``height``, in the order of keys, without those that had none."""
    address, balance = b"", 0
    for row in store.aggregate("ledger", [{"$sort": {"_id": 1}}, {"$project": {"b": 1}}]):
        key = row["_id"]
        if key[:21] != address:
            if balance:
                yield address, balance
            address, balance = key[:21], 0
        if int.from_bytes(key[21:], "big") <= height:
            balance = row["b"]
    if balance:
        yield address, balance


def without_address(store: MongoStore, height: int) -> int:
    """What the outputs that show no address, and were unspent after block ``height``, come to in zatoshi."""
    odd = {"_id": {"$lt": txkey(height + 1, 0)}, "out_forms": {"$exists": True}}
    unspent: dict[int, int] = {}
    for row in map(transaction_row, store.aggregate("transactions", [{"$match": odd}])):
        made = set(map(id, coins_of(row)))
        for vout, output in enumerate(row.outputs):
            if output.address == NO_ADDRESS and output.value and id(output) in made:
                unspent[row.key << VOUT_BITS | vout] = output.value
    keys = list(unspent)
    for first in range(0, len(keys), CHUNK):
        for spender in store.find("transactions", "in_keys", keys[first : first + CHUNK]):
            if spender["_id"] < txkey(height + 1, 0):
                for key in spender["in_keys"]:
                    unspent.pop(key, None)
    return sum(unspent.values())


def coins(zatoshi: int) -> str:
    """An amount in FLUX with 8 decimals."""
    return f"{zatoshi // COIN}.{zatoshi % COIN:08d}"


@contextmanager
def _opened(output: str) -> Iterator[IO[str]]:
    """Standard output, or a file that stands under its name only when it is whole."""
    if output == "-":
        try:
            yield sys.stdout
            sys.stdout.flush()
        except BrokenPipeError as error:
            sys.stdout = None  # or Python tries to write the rest when it ends
            raise StoreError("standard output was closed before everything was written") from error
        return
    path = Path(output)
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding="ascii", newline="") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise StoreError(f"{output} cannot be written: {error.strerror}; choose another place with --output") from error
    finally:
        part.unlink(missing_ok=True)
