"""What signs the inputs of a transaction: the part of its bytes that the columns, and so the index, leave out."""

from __future__ import annotations

from dataclasses import dataclass

from indexer.parse.columns import OVERWINTERED
from indexer.parse.cursor import Cursor
from indexer.parse.transactions import NODE_VERSIONS


@dataclass(frozen=True, slots=True)
class SignedInput:
    """The script and the sequence number of an input."""

    script: bytes
    sequence: int


def signed_inputs(raw: bytes) -> tuple[SignedInput, ...]:
    """The inputs of a serialized transaction in order, a coinbase's null input too; none of a node transaction.

    ParseError when the bytes end early. Source: ``primitives/transaction.h:CTransaction::SerializationOp``, ``CTxIn``.
    """
    cursor = Cursor(raw)
    header = cursor.u32("transaction version")
    if header & OVERWINTERED:
        cursor.u32("version group id")
    if header & ~OVERWINTERED in NODE_VERSIONS:
        return ()
    return tuple(_input(cursor) for _ in range(cursor.count("input count", 41)))


def _input(cursor: Cursor) -> SignedInput:
    cursor.outpoint("prevout")
    return SignedInput(cursor.var_bytes("input script"), cursor.u32("sequence"))
