"""The reference parser of transactions, written for reading.

A transaction becomes a ``Row`` and adds its inputs, outputs and node parts to ``Columns``. Sources:
``primitives/transaction.h:CTransaction::SerializationOp``, ``main.cpp:CheckTransactionWithoutProofVerification``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from indexer.chain.hashes import sha256d
from indexer.chain.params import MAX_MONEY
from indexer.errors import ParseError
from indexer.parse.columns import COINBASE, NODE_CONFIRM, NODE_START, OVERWINTERED, TRANSFER, Delegates, NodeStart
from indexer.parse.cursor import Cursor
from indexer.parse.scripts import classify

MAX_DELEGATE_KEYS = 4

OVERWINTER = (3, 0x03C48270)
SAPLING = (4, 0x892F2085)
NODE_VERSIONS = (5, 6)
START, CONFIRM = 2, 4
NORMAL_NODE, P2SH_NODE, HAS_DELEGATES = 0x01, 0x02, 0x0100
DELEGATES_VERSION, DELEGATES_UPDATE = 1, 1

SPEND_SIZE, OUTPUT_SIZE = 384, 948
PHGR13_JOINSPLIT_SIZE, GROTH16_JOINSPLIT_SIZE = 1802, 1698
NULL_PREVOUT = bytes(32) + b"\xff" * 4


@dataclass(slots=True)
class Row:
    """The fields of one transaction."""

    start: int  # offset in raw
    header: int
    txid: bytes = b""
    kind: int = TRANSFER
    lock_time: int = 0
    expiry_height: int = 0
    value_balance: int = 0
    sprout_in: int = 0
    sprout_out: int = 0
    joinsplits: int = 0
    shielded_spends: int = 0
    shielded_outputs: int = 0
    inputs: int = 0  # how many
    outputs: int = 0


@dataclass(slots=True)
class Output:
    """One output."""

    value: int
    form: int
    address: bytes
    script_start: int
    script_size: int


@dataclass(slots=True)
class Confirm:
    """One CONFIRM."""

    index: int
    outpoint: bytes
    sig_time: int
    tier: int
    benchmark_time: int
    update: int
    ip: bytes


@dataclass(slots=True)
class Columns:
    """What transactions add to, in order."""

    rows: list[Row] = field(default_factory=list)
    prevouts: list[bytes] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    starts: list[NodeStart] = field(default_factory=list)
    confirms: list[Confirm] = field(default_factory=list)
    full_ids: list[bytes] = field(default_factory=list)  # of node transactions
    coinbase_script: bytes = b""


def parse_transaction(c: Cursor, columns: Columns) -> Row:
    """Read one transaction; its row ends the rows of ``columns``."""
    row = Row(c.at, c.u32("transaction version"))
    version, overwintered = row.header & ~OVERWINTERED, bool(row.header & OVERWINTERED)
    if overwintered and (version, c.u32("version group id")) not in (OVERWINTER, SAPLING):
        raise ParseError(
            f"version {version} is unknown or has another group's id", offset=row.start, structure="transaction version"
        )
    if version in NODE_VERSIONS:
        _node(c, columns, row, version)
    else:
        _ordinary(c, columns, row, version, overwintered)
    columns.rows.append(row)
    return row


# --- ordinary transactions ----------------------------------------------------------------------------------


class _Flow:
    """Value that enters or leaves the transparent pool of one transaction, refused above MAX_MONEY."""

    def __init__(self) -> None:
        self.sum = 0

    def add(self, value: int, offset: int, item: str) -> None:
        if not 0 <= value <= MAX_MONEY:
            raise ParseError(f"{value} is outside 0 to {MAX_MONEY}", offset=offset, structure=item)
        self.sum += value
        if self.sum > MAX_MONEY:
            raise ParseError(f"the sum {self.sum} is above {MAX_MONEY}", offset=offset, structure=item)


def _ordinary(c: Cursor, columns: Columns, row: Row, version: int, overwintered: bool) -> None:
    made, used = _Flow(), _Flow()
    _inputs(c, columns, row)
    _outputs(c, columns, row, made)
    row.lock_time = c.u32("lock time")
    if overwintered:
        row.expiry_height = c.u32("expiry height")
    sapling = overwintered and version == SAPLING[0]
    if sapling:
        _sapling(c, row, made, used)
    if version >= 2:
        _joinsplits(c, row, GROTH16_JOINSPLIT_SIZE if sapling else PHGR13_JOINSPLIT_SIZE, made, used)
    if row.shielded_spends or row.shielded_outputs:
        c.take(64, "bindingSig")
    row.txid = sha256d(c.raw[row.start : c.at])


def _inputs(c: Cursor, columns: Columns, row: Row) -> None:
    count = c.count("input count", 41)
    for _ in range(count):
        prevout = c.outpoint("prevout")
        script = c.var_bytes("input script")
        c.take(4, "sequence")
        if count == 1 and prevout == NULL_PREVOUT:
            row.kind, columns.coinbase_script = COINBASE, script
        else:
            columns.prevouts.append(prevout)
            row.inputs += 1


def _outputs(c: Cursor, columns: Columns, row: Row, made: _Flow) -> None:
    row.outputs = c.count("output count", 9)  # so that 2,000,000 bytes hold fewer than chain.keys.MAX_OUTPUTS
    for _ in range(row.outputs):
        start = c.at
        value = c.i64("output value")
        made.add(value, start, "output value")
        script = c.var_bytes("output script")
        form, address = classify(script)
        columns.outputs.append(Output(value, form, address, c.at - len(script), len(script)))


def _sapling(c: Cursor, row: Row, made: _Flow, used: _Flow) -> None:
    start = c.at
    row.value_balance = c.i64("value balance")
    if abs(row.value_balance) > MAX_MONEY:
        message = f"{row.value_balance} is outside -{MAX_MONEY} to {MAX_MONEY}"
        raise ParseError(message, offset=start, structure="value balance")
    flow = used if row.value_balance > 0 else made
    flow.add(abs(row.value_balance), start, "value balance")
    row.shielded_spends = c.count("shielded spend count", SPEND_SIZE)
    c.take(row.shielded_spends * SPEND_SIZE, "shielded spends")
    row.shielded_outputs = c.count("shielded output count", OUTPUT_SIZE)
    c.take(row.shielded_outputs * OUTPUT_SIZE, "shielded outputs")


def _joinsplits(c: Cursor, row: Row, size: int, made: _Flow, used: _Flow) -> None:
    row.joinsplits = c.count("JoinSplit count", size)
    for _ in range(row.joinsplits):
        start = c.at
        vpub_old, vpub_new = c.i64("vpub_old"), c.i64("vpub_new")
        made.add(vpub_old, start, "vpub_old")
        used.add(vpub_new, start + 8, "vpub_new")
        row.sprout_in += vpub_old
        row.sprout_out += vpub_new
        c.take(size - 16, "JoinSplit")
    if row.joinsplits:
        c.take(32, "joinSplitPubKey")
        c.take(64, "joinSplitSig")


# --- node transactions --------------------------------------------------------------------------------------


def _node(c: Cursor, columns: Columns, row: Row, version: int) -> None:
    at = c.at
    kind = c.i8("node transaction type")
    if kind == START:
        hashed = _start(c, columns, row, version)
    elif kind == CONFIRM:
        hashed = _confirm(c, columns, row)
    else:
        raise ParseError(f"type {kind} is neither START nor CONFIRM", offset=at, structure="node transaction type")
    row.txid = sha256d(hashed)
    columns.full_ids.append(sha256d(c.raw[row.start : c.at]))


def _start(c: Cursor, columns: Columns, row: Row, version: int) -> bytes:
    """Read a START; gives the bytes that its txid covers.

    A public key is kept as found: the daemon serves keys in the form that it hashes (0, 33 or 65 bytes), and
    in any other form the merkle root tells the difference.
    """
    row.kind = NODE_START
    flags, p2sh = 0, False
    if version == 6:
        at, flags = c.at, c.i32("nFluxTxVersion")
        p2sh = bool(flags & P2SH_NODE)
        if not flags & (NORMAL_NODE | P2SH_NODE):
            raise ParseError(f"a START of flags {flags} has no body", offset=at, structure="nFluxTxVersion")
    outpoint = c.outpoint("collateral")
    collateral_pubkey = b"" if p2sh else c.var_bytes("collateralPubkey")
    pubkey = c.var_bytes("pubKey")
    redeem_script = c.var_bytes("redeemScript") if p2sh else b""
    sig_time = c.u32("sigTime")
    sig_start = c.at
    sig = c.var_bytes("sig")
    sig_end = c.at
    delegates = _delegates(c) if flags & HAS_DELEGATES else None
    columns.starts.append(
        NodeStart(
            len(columns.rows), version, flags, outpoint, collateral_pubkey, pubkey, redeem_script, sig_time, sig,
            delegates,
        )
    )  # fmt: skip
    return c.raw[row.start : sig_start] + c.raw[sig_end : c.at]


def _delegates(c: Cursor) -> Delegates:
    if not c.i8("fUsingDelegates"):
        return Delegates(False, 0, 0, ())
    version, kind = c.i8("nDelegateVersion"), c.i8("delegates type")
    if version != DELEGATES_VERSION or kind != DELEGATES_UPDATE:
        return Delegates(True, version, kind, ())
    at, count = c.at, c.count("delegate key count", 1)
    if count > MAX_DELEGATE_KEYS:
        raise ParseError(f"{count} is above {MAX_DELEGATE_KEYS}", offset=at, structure="delegate key count")
    return Delegates(True, version, kind, tuple(c.var_bytes("delegate key") for _ in range(count)))


def _confirm(c: Cursor, columns: Columns, row: Row) -> bytes:
    """Read a CONFIRM; gives the bytes that its txid covers: all before the signatures."""
    row.kind = NODE_CONFIRM
    confirm = Confirm(
        len(columns.rows),
        c.outpoint("collateral"),
        c.u32("sigTime"),
        c.i8("benchmarkTier"),
        c.u32("benchmarkSigTime"),
        c.i8("nUpdateType"),
        c.var_bytes("ip"),
    )
    end = c.at
    c.var_bytes("sig")
    c.var_bytes("benchmarkSig")
    columns.confirms.append(confirm)
    return c.raw[row.start : end]
