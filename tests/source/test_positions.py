"""The table of places against a dictionary."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from indexer.source.positions import Positions


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 2**64 - 2))))
def test_the_later_place_of_a_hash_counts(notes: list[tuple[int, int]]) -> None:
    table = Positions()
    model = {}
    for number, place in notes:
        hash_ = (number << 12).to_bytes(32, "little")  # all of them belong into the same slot
        table.note(hash_, place)
        model[hash_] = place
    assert len(table) == len(model)
    assert {hash_: table.find(hash_) for hash_ in model} == model
    assert table.find(bytes(31) + b"\1") == model.get(bytes(32))  # beyond eight bytes nothing is kept
    assert table.find((41 << 12).to_bytes(32, "little")) is None


def test_grows_and_gives_its_memory_back() -> None:
    chance = random.Random(1)
    hashes = [chance.randbytes(32) for _ in range(20_000)]
    table = Positions()
    empty = table.memory
    for place, hash_ in enumerate(hashes):
        table.note(hash_, place)
    assert [table.find(hash_) for hash_ in hashes] == list(range(len(hashes)))
    assert table.memory <= 43 * len(hashes)  # between 21 and 43 bytes a block
    table.clear()
    assert (len(table), table.memory, table.find(hashes[0])) == (0, empty, None)
