"""The extension's SHA-256, with the processor's instructions and in portable C, against hashlib."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from indexer.chain.hashes import sha256d
from indexer.parse.compiled import KERNEL
from tests.parse import twins  # skips this module where the extension is absent

blockparse = twins.compiled.blockparse

LENGTHS = [*range(300), 1000, 4095, 4096, 4097, 100_000]


@pytest.fixture(params=["instructions", "portable"])
def kernel(request: pytest.FixtureRequest) -> Iterator[None]:
    """Serve with this kernel for one test."""
    if blockparse.choose_kernel(request.param == "instructions") != request.param:
        pytest.skip("this processor has no SHA instructions")
    yield
    assert blockparse.choose_kernel(True) == KERNEL


def test_one_message(kernel: None) -> None:
    rnd = Random(1)
    for size in LENGTHS:
        message = rnd.randbytes(size)
        assert blockparse.digest(message) == sha256d(message)


def test_two_messages_side_by_side(kernel: None) -> None:
    rnd = Random(2)
    for size in LENGTHS:
        a, b = rnd.randbytes(size), rnd.randbytes(rnd.choice(LENGTHS[:-1]))
        assert blockparse.digest_pair(a, b) == (sha256d(a), sha256d(b))
        assert blockparse.digest_pair(b, a) == (sha256d(b), sha256d(a))
