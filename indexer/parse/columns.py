"""What the parser gives: a block as columns.

A block of sixty node confirmations would be hundreds of small Python objects; as columns it is a few dozen
``bytes``. Both parsers, the compiled and the pure one, build exactly this; their results compare equal.

Columns are little-endian and packed: ``u32`` is 4 bytes an entry, ``i64`` 8, a hash 32, an outpoint 36
(``indexer.chain.keys``: txid in wire order, index *big-endian*), an address key 21 (``NO_ADDRESS`` for none).
``ints(column, "I")`` unpacks one into a tuple.

``*_start`` columns have one entry more than there are owners: what transaction ``t`` owns is
``start[t]:start[t + 1]``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

# Kinds of transactions.
COINBASE, TRANSFER, NODE_START, NODE_CONFIRM = range(4)
KIND_NAMES = ("coinbase", "transfer", "node_start", "node_confirm")

OVERWINTERED = 1 << 31  # the bit of a header beside the version (``transaction.h: GetHeader``)

# Forms of output scripts (``script/standard.cpp: Solver``). The first two are the exact 25- and 23-byte scripts,
# the only forms that need no stored script.
EXACT_P2PKH, EXACT_P2SH, PUSHDATA_P2PKH, P2PK, P2PK_BAD_KEY, MULTISIG, NULLDATA, NONSTANDARD = range(8)
FORM_TYPES = ("pubkeyhash", "scripthash", "pubkeyhash", "pubkey", "pubkey", "multisig", "nulldata", "nonstandard")

# Update types of a delegates section (``transaction.h: CFluxnodeDelegates``).
DELEGATES_UPDATE, DELEGATES_SIGNING = 1, 2


def ints(column: bytes, code: str) -> tuple[int, ...]:
    """The entries of a column; ``code`` is a struct code: B u8, H u16, I u32, i i32, q i64."""
    return struct.unpack(f"<{len(column) // struct.calcsize('<' + code)}{code}", column)


def slices(packed: bytes, size: int) -> list[bytes]:
    """The entries of a column of ``size`` bytes each."""
    return [packed[i : i + size] for i in range(0, len(packed), size)]


@dataclass(frozen=True, slots=True)
class Delegates:
    """The delegates section of a version 6 START (``transaction.h: CFluxnodeDelegates``)."""

    using: bool
    version: int  # 0 when not using
    type: int  # DELEGATES_UPDATE, DELEGATES_SIGNING, or the byte as found; 0 when not using
    keys: tuple[bytes, ...]  # compressed public keys; only with type UPDATE


@dataclass(frozen=True, slots=True)
class NodeStart:
    """A START transaction, decoded (``transaction.h: SerializationOp``)."""

    index: int  # position in the block
    version: int  # 5 or 6
    flux_version: int  # nFluxTxVersion of version 6, 0 in version 5
    outpoint: bytes  # collateral, 36 bytes
    collateral_pubkey: bytes  # empty for P2SH nodes
    pubkey: bytes  # the node's key
    redeem_script: bytes  # empty unless a P2SH node
    sig_time: int
    sig: bytes
    delegates: Delegates | None  # None when flag 0x0100 is absent


@dataclass(frozen=True, slots=True)
class ParsedBlock:
    """A block as columns. ``raw`` is what it was parsed from; offsets point into it."""

    raw: bytes

    # Header.
    version: int
    hash: bytes
    prev_hash: bytes
    merkle_root: bytes  # as the header claims; parse_block has checked it
    sapling_root: bytes
    time: int
    bits: int
    pon: bool
    producer: bytes  # outpoint of the PoN header, b"" in PoW blocks
    nonce: bytes  # 32 bytes in PoW blocks, b"" in PoN blocks
    proof: bytes  # Equihash solution of PoW, signature field of PoN blocks

    # Transactions, one entry each.
    txids: bytes  # 32 each
    kinds: bytes  # u8: COINBASE …
    tx_start: bytes  # u32, n + 1: where each transaction begins in raw; the last one is len(raw)
    headers: bytes  # u32: version with the overwintered bit 31
    lock_times: bytes  # u32; 0 for node transactions
    expiry_heights: bytes  # u32; 0 when the layout has none
    value_balances: bytes  # i64: Sapling, as on the wire; 0 when the layout has none
    sprout_in: bytes  # i64: sum of vpub_old, into the Sprout pool
    sprout_out: bytes  # i64: sum of vpub_new, out of the Sprout pool
    joinsplits: bytes  # u32: how many
    shielded_spends: bytes  # u32
    shielded_outputs: bytes  # u32
    input_start: bytes  # u32, n + 1, into the inputs
    output_start: bytes  # u32, n + 1, into the outputs

    # Inputs of all transactions in order; the coinbase's null input is left out.
    prevouts: bytes  # outpoint, 36 each
    coinbase_script: bytes  # scriptSig of transaction 0

    # Outputs of all transactions in order.
    values: bytes  # i64, zatoshi; negative or absurd values are a ParseError
    forms: bytes  # u8: EXACT_P2PKH …
    addresses: bytes  # address key, 21 each; set for the forms up to P2PK
    script_start: bytes  # u32, one per output: offset of the script in raw
    script_size: bytes  # u32, one per output

    # Node transactions.
    starts: tuple[NodeStart, ...]
    confirm_index: bytes  # u32: position in the block of each CONFIRM
    confirm_outpoints: bytes  # outpoint, 36 each
    confirm_sig_times: bytes  # u32
    confirm_benchmark_times: bytes  # u32
    confirm_tiers: bytes  # i8 as found: the benchmark's tier, not the node's
    confirm_updates: bytes  # i8 as found: 0 initial, 1 update
    confirm_ip_start: bytes  # u32, c + 1, into confirm_ips
    confirm_ips: bytes  # the signed texts, one after the other

    # sha256d over the full bytes (signatures included) of each node transaction, in block order, 32 each;
    # b"" unless asked for. Insight shows these as txids.
    full_ids: bytes

    @property
    def tx_count(self) -> int:
        """How many transactions the block has."""
        return len(self.kinds)

    def txid(self, index: int) -> bytes:
        """The txid of the transaction at ``index``, wire order."""
        return self.txids[32 * index : 32 * index + 32]

    def script(self, output: int) -> bytes:
        """The script of an output, counted over the whole block."""
        (start,) = struct.unpack_from("<I", self.script_start, 4 * output)
        (size,) = struct.unpack_from("<I", self.script_size, 4 * output)
        return self.raw[start : start + size]


@dataclass(frozen=True, slots=True)
class NodeConfirm:
    """A CONFIRM transaction, decoded (``transaction.h: SerializationOp``)."""

    outpoint: bytes  # collateral, 36 bytes
    sig_time: int
    benchmark_time: int
    tier: int  # as found: the benchmark's tier, not the node's
    update: int  # as found: 0 initial, 1 update
    ip: bytes  # the signed text


@dataclass(frozen=True, slots=True)
class ParsedTransaction:
    """A transaction that stands alone (mempool, broadcast): the fields and columns of ``ParsedBlock`` for one."""

    raw: bytes
    txid: bytes
    full_id: bytes  # sha256d over all bytes; differs from the txid of node transactions
    kind: int
    header: int
    lock_time: int
    expiry_height: int
    value_balance: int
    sprout_in: int
    sprout_out: int
    joinsplits: int
    shielded_spends: int
    shielded_outputs: int
    prevouts: bytes  # outpoint, 36 each
    coinbase_script: bytes
    values: bytes  # i64
    forms: bytes  # u8
    addresses: bytes  # address key, 21 each
    script_start: bytes  # u32
    script_size: bytes  # u32
    start: NodeStart | None
    confirm: NodeConfirm | None
