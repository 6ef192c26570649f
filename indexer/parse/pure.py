"""The reference parser of blocks, written for reading.

Sources: ``primitives/block.h:CBlockHeader::SerializationOp``, ``primitives/block.cpp``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Any

from indexer.chain.hashes import header_hash
from indexer.chain.keys import MAX_TRANSACTIONS
from indexer.errors import ParseError
from indexer.parse import transactions
from indexer.parse.columns import COINBASE, ParsedBlock, ParsedTransaction
from indexer.parse.cursor import Cursor
from indexer.parse.merkle import check_merkle_root
from indexer.parse.single import alone
from indexer.parse.transactions import Columns

MAX_BLOCK_SIZE = 2_000_000  # consensus/consensus.h
FIRST_PON_VERSION = 100
MIN_TRANSACTION_SIZE = 10

_NO_HEADER: dict[str, Any] = {
    "version": 0, "hash": b"", "prev_hash": b"", "merkle_root": b"", "sapling_root": b"", "time": 0, "bits": 0,
    "pon": False, "producer": b"", "nonce": b"", "proof": b"",
}  # fmt: skip


def parse_block(raw: bytes, *, pon: bool = True, full_ids: bool = False) -> ParsedBlock:
    """The columns of a block; its merkle root is checked.

    ``pon=False`` reads any header version as PoW, as blocks in the parent chain's format need; ``full_ids``
    asks for the column of that name. Raises ParseError, or MerkleMismatch naming the block hash.
    """
    if len(raw) > MAX_BLOCK_SIZE:
        raise ParseError(f"{len(raw)} bytes are above {MAX_BLOCK_SIZE}", offset=0, structure="block")
    c, columns = Cursor(raw), Columns()
    header = _header(c, pon)
    for _ in range(_transaction_count(c)):
        row = transactions.parse_transaction(c, columns)
        if (row.kind == COINBASE) != (len(columns.rows) == 1):
            raise ParseError(
                "the first transaction, and only it, must be a coinbase", offset=row.start, structure="coinbase"
            )
    _at_end(c, "end of block")
    check_merkle_root(header["hash"], header["merkle_root"], [row.txid for row in columns.rows])
    return _block(raw, header, columns, full_ids)


def parse_transaction(raw: bytes) -> ParsedTransaction:
    """A transaction that stands alone; raises ParseError."""
    if len(raw) > MAX_BLOCK_SIZE:
        raise ParseError(f"{len(raw)} bytes are above {MAX_BLOCK_SIZE}", offset=0, structure="transaction")
    c, columns = Cursor(raw), Columns()
    transactions.parse_transaction(c, columns)
    _at_end(c, "end of transaction")
    return alone(_block(raw, _NO_HEADER, columns, full_ids=True))


def _header(c: Cursor, pon: bool) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "version": c.i32("block version"),
        "prev_hash": c.take(32, "previous block hash"),
        "merkle_root": c.take(32, "merkle root"),
        "sapling_root": c.take(32, "final Sapling root"),
        "time": c.u32("block time"),
        "bits": c.u32("bits"),
    }
    is_pon = pon and fields["version"] >= FIRST_PON_VERSION
    if is_pon:
        fields |= {"producer": c.outpoint("producer"), "nonce": b"", "proof": c.var_bytes("block signature")}
    else:
        fields |= {"producer": b"", "nonce": c.take(32, "nonce"), "proof": c.var_bytes("solution")}
    return fields | {"pon": is_pon, "hash": header_hash(c.raw[: c.at], is_pon)}


def _transaction_count(c: Cursor) -> int:
    start = c.at
    count = c.count("transaction count", MIN_TRANSACTION_SIZE)
    if not 0 < count <= MAX_TRANSACTIONS:
        raise ParseError(
            f"{count} is outside 1 to {MAX_TRANSACTIONS}", offset=start, structure="transaction count"
        )
    return count


def _at_end(c: Cursor, item: str) -> None:
    if c.left:
        raise ParseError(f"{c.left} bytes are left over", offset=c.at, structure=item)


# --- columns ------------------------------------------------------------------------------------------------


def _pack(code: str, entries: Iterable[int]) -> bytes:
    column = list(entries)
    return struct.pack(f"<{len(column)}{code}", *column)


def _starts(counts: Iterable[int]) -> bytes:
    return _pack("I", accumulate(counts, initial=0))


def _block(raw: bytes, header: dict[str, Any], columns: Columns, full_ids: bool) -> ParsedBlock:
    return ParsedBlock(
        raw=raw,
        starts=tuple(columns.starts),
        full_ids=b"".join(columns.full_ids) if full_ids else b"",
        coinbase_script=columns.coinbase_script,
        prevouts=b"".join(columns.prevouts),
        **header,
        **_transaction_columns(columns, len(raw)),
        **_output_columns(columns),
        **_confirm_columns(columns),
    )


def _transaction_columns(columns: Columns, end: int) -> dict[str, Any]:
    rows = columns.rows

    def u32(entry: Callable[[transactions.Row], int]) -> bytes:
        return _pack("I", map(entry, rows))

    return {
        "txids": b"".join(row.txid for row in rows),
        "kinds": bytes(row.kind for row in rows),
        "tx_start": _pack("I", [*(row.start for row in rows), end]),
        "headers": u32(lambda row: row.header),
        "lock_times": u32(lambda row: row.lock_time),
        "expiry_heights": u32(lambda row: row.expiry_height),
        "value_balances": _pack("q", (row.value_balance for row in rows)),
        "sprout_in": _pack("q", (row.sprout_in for row in rows)),
        "sprout_out": _pack("q", (row.sprout_out for row in rows)),
        "joinsplits": u32(lambda row: row.joinsplits),
        "shielded_spends": u32(lambda row: row.shielded_spends),
        "shielded_outputs": u32(lambda row: row.shielded_outputs),
        "input_start": _starts(row.inputs for row in rows),
        "output_start": _starts(row.outputs for row in rows),
    }


def _output_columns(columns: Columns) -> dict[str, Any]:
    outputs = columns.outputs
    return {
        "values": _pack("q", (o.value for o in outputs)),
        "forms": bytes(o.form for o in outputs),
        "addresses": b"".join(o.address for o in outputs),
        "script_start": _pack("I", (o.script_start for o in outputs)),
        "script_size": _pack("I", (o.script_size for o in outputs)),
    }


def _confirm_columns(columns: Columns) -> dict[str, Any]:
    confirms = columns.confirms
    return {
        "confirm_index": _pack("I", (x.index for x in confirms)),
        "confirm_outpoints": b"".join(x.outpoint for x in confirms),
        "confirm_sig_times": _pack("I", (x.sig_time for x in confirms)),
        "confirm_benchmark_times": _pack("I", (x.benchmark_time for x in confirms)),
        "confirm_tiers": _pack("b", (x.tier for x in confirms)),
        "confirm_updates": _pack("b", (x.update for x in confirms)),
        "confirm_ip_start": _starts(len(x.ip) for x in confirms),
        "confirm_ips": b"".join(x.ip for x in confirms),
    }
