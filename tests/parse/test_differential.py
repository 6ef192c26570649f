"""Both parsers agree on damaged blocks and transactions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.fuzz import mutate, samples
from tests.parse import twins

FEW = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def pool(kind: str) -> list[bytes]:
    blocks, transactions = samples()
    return blocks if kind == "block" else transactions


Edit = tuple[int, int, bytes]
EDITS = st.lists(
    st.tuples(st.integers(0, 1 << 20), st.integers(0, 12), st.binary(max_size=12)), min_size=1, max_size=4
)


def edited(raw: bytes, edits: list[Edit]) -> bytes:
    """``raw`` with, at each place, so many bytes replaced by others."""
    for at, cut, instead in edits:
        at %= len(raw) + 1
        raw = raw[:at] + instead + raw[at + cut :]
    return raw


@FEW
@given(st.integers(0, 1 << 20), EDITS, st.booleans(), st.booleans())
def test_edited_blocks(which: int, edits: list[Edit], pon: bool, full_ids: bool) -> None:
    blocks = pool("block")
    twins.block(edited(blocks[which % len(blocks)], edits), pon=pon, full_ids=full_ids)


@FEW
@given(st.integers(0, 1 << 20), EDITS)
def test_edited_transactions(which: int, edits: list[Edit]) -> None:
    transactions = pool("transaction")
    twins.transaction(edited(transactions[which % len(transactions)], edits))


@FEW
@given(st.binary(max_size=300))
def test_random_bytes(raw: bytes) -> None:
    twins.block(raw)
    twins.transaction(raw)
    for version in (b"\x01\0\0\0", b"\x04\0\0\x80\x85\x20\x2f\x89", b"\x05\0\0\0\x02", b"\x06\0\0\0\x02\x01\x01\0\0"):
        twins.transaction(version + raw)


def test_threads_do_not_share_memory() -> None:
    blocks = pool("block")
    alone = [twins.pure.parse_block(raw) for raw in blocks]
    with ThreadPoolExecutor(4) as threads:
        for _ in range(5):
            assert list(threads.map(twins.compiled.parse_block, blocks)) == alone


@pytest.mark.parametrize("seed", range(4))
def test_the_fuzzers_mutations(seed: int) -> None:
    for raw in mutate(pool("block"), seed, 500):
        twins.block(raw)
    for raw in mutate(pool("transaction"), seed, 1500):
        twins.transaction(raw)
