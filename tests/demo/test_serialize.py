"""The writer is the parser's inverse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.chain.hashes import merkle_root
from indexer.chain.params import COIN
from indexer.demo import serialize
from indexer.demo.serialize import Header, Input, JoinSplit, Output, Transfer
from indexer.parse import parse_block, parse_transaction
from indexer.parse.columns import COINBASE, Delegates, NodeConfirm, NodeStart, ParsedTransaction, ints

u32s = st.integers(0, (1 << 32) - 1)
hashes = st.binary(min_size=32, max_size=32)
outpoints = st.binary(min_size=36, max_size=36).filter(lambda point: point != serialize.NULL_PREVOUT)
scripts = st.binary(max_size=300)
values = st.integers(0, 1_000_000 * COIN)
keys = st.sampled_from((b"", b"\x02" + bytes(32), b"\x04" + bytes(64)))
signatures = st.binary(min_size=65, max_size=65)


def sized(size: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=8, max_size=8).map(lambda start: start.ljust(size, b"\7"))


@st.composite
def transfers(draw: st.DrawFn) -> Transfer:
    version = draw(st.sampled_from((1, 2, 4)))
    sapling = version == 4
    splits = st.builds(JoinSplit, values, values, sized(serialize.JOINSPLIT_REST[sapling]))
    return Transfer(
        draw(st.lists(st.builds(Input, outpoints, scripts, u32s), min_size=1, max_size=4)),
        draw(st.lists(st.builds(Output, values, scripts), max_size=4)),
        version=version,
        lock_time=draw(u32s),
        expiry_height=draw(u32s) if sapling else 0,
        value_balance=draw(st.integers(-COIN, COIN)) if sapling else 0,
        shielded_spends=draw(st.lists(sized(serialize.SPEND_SIZE), max_size=2)) if sapling else (),
        shielded_outputs=draw(st.lists(sized(serialize.OUTPUT_SIZE), max_size=2)) if sapling else (),
        joinsplits=draw(st.lists(splits, max_size=2)) if version > 1 else (),
    )


@given(transfers())
def test_transfers(tx: Transfer) -> None:
    wire = serialize.transfer(tx)
    parsed = parse_transaction(wire.raw)
    assert parsed.txid == wire.txid
    assert parsed.prevouts == b"".join(i.outpoint for i in tx.inputs)
    assert ints(parsed.values, "q") == tuple(o.value for o in tx.outputs)
    assert scripts_of(parsed) == [o.script for o in tx.outputs]
    assert (parsed.lock_time, parsed.expiry_height) == (tx.lock_time, tx.expiry_height)
    assert parsed.value_balance == tx.value_balance
    assert parsed.shielded_spends == len(tx.shielded_spends)
    assert parsed.shielded_outputs == len(tx.shielded_outputs)
    assert parsed.sprout_in == sum(j.vpub_old for j in tx.joinsplits)
    assert parsed.sprout_out == sum(j.vpub_new for j in tx.joinsplits)


def scripts_of(parsed: ParsedTransaction) -> list[bytes]:
    begins, sizes = ints(parsed.script_start, "I"), ints(parsed.script_size, "I")
    return [parsed.raw[at : at + size] for at, size in zip(begins, sizes, strict=True)]


delegates = st.one_of(
    st.none(),
    st.just(Delegates(False, 0, 0, ())),
    st.just(Delegates(True, 1, 2, ())),
    st.lists(st.just(b"\x03" + bytes(32)), max_size=4).map(lambda found: Delegates(True, 1, 1, tuple(found))),
)


@st.composite
def starts(draw: st.DrawFn) -> NodeStart:
    version, section = draw(st.sampled_from((5, 6))), draw(delegates)
    p2sh = version == 6 and draw(st.booleans())
    if version == 5:
        section = None
    flags = (2 if p2sh else 1) | (0x100 if section else 0) if version == 6 else 0
    return NodeStart(
        index=0,
        version=version,
        flux_version=flags,
        outpoint=draw(outpoints),
        collateral_pubkey=b"" if p2sh else draw(keys),
        pubkey=draw(keys),
        redeem_script=draw(st.binary(min_size=1, max_size=300)) if p2sh else b"",
        sig_time=draw(u32s),
        sig=draw(signatures),
        delegates=section,
    )


@given(starts(), signatures)
def test_starts(start: NodeStart, other: bytes) -> None:
    wire = serialize.start(start)
    parsed = parse_transaction(wire.raw)
    assert parsed.start == start
    assert parsed.txid == wire.txid
    assert parsed.full_id != wire.txid


@given(outpoints, u32s, u32s, st.integers(1, 3), st.integers(0, 1), st.binary(max_size=60), st.sampled_from((5, 6)))
def test_confirmations(
    point: bytes, time: int, benchmarked: int, tier: int, update: int, ip: bytes, version: int
) -> None:
    confirm = NodeConfirm(point, time, benchmarked, tier, update, ip)
    wire = serialize.confirm(confirm, version, bytes(65), b"\1" * 65)
    parsed = parse_transaction(wire.raw)
    assert parsed.confirm == confirm
    assert parsed.txid == wire.txid
    assert serialize.confirm(confirm, version, b"\2" * 65, bytes(65)).txid == wire.txid


@given(hashes, hashes, u32s, u32s, st.binary(min_size=32, max_size=32), st.binary(max_size=1400), st.booleans())
def test_blocks(prev: bytes, root: bytes, time: int, bits: int, nonce: bytes, proof: bytes, pon: bool) -> None:
    coinbase = serialize.transfer(Transfer([Input(serialize.NULL_PREVOUT, b"\x51\x51")], [Output(5, b"\x51")]))
    header = Header(100 if pon else 4, prev, merkle_root([coinbase.txid]), root, time, bits)
    point = nonce + b"\0\0\0\7"
    head = serialize.pon_header(header, point, proof) if pon else serialize.pow_header(header, nonce, proof)
    block = parse_block(serialize.block(head, [coinbase.raw]))
    assert (block.prev_hash, block.sapling_root, block.time, block.bits) == (prev, root, time, bits)
    assert (block.producer, block.nonce) == ((point, b"") if pon else (b"", nonce))
    assert block.proof == proof
    assert list(block.kinds) == [COINBASE]


@pytest.mark.parametrize(
    ("height", "script"),
    [(0, "00"), (1, "51"), (16, "60"), (17, "0111"), (127, "017f"), (128, "028000"), (255, "02ff00"),
     (32767, "02ff7f"), (32768, "03008000"), (2_100_000, "03200b20")],
)  # fmt: skip
def test_heights_as_scripts_push_them(height: int, script: str) -> None:
    assert serialize.script_number(height).hex() == script
