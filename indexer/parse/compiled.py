"""The compiled parser behind the signatures of the pure one."""

from __future__ import annotations

from typing import Any

from cython_ext import blockparse
from indexer.chain.hashes import hash160
from indexer.chain.keys import hash_text
from indexer.errors import ChainError, ParseError
from indexer.parse.columns import Delegates, NodeStart, ParsedBlock, ParsedTransaction
from indexer.parse.merkle import check_merkle_root
from indexer.parse.single import alone

__all__ = ["KERNEL", "blockparse", "parse_block", "parse_transaction"]

KERNEL = blockparse.choose_kernel(True)  # which SHA-256 serves

_FIELDS = tuple(ParsedBlock.__dataclass_fields__)
_STARTS = _FIELDS.index("starts")


def parse_block(raw: bytes, *, pon: bool = True, full_ids: bool = False) -> ParsedBlock:
    """The columns of a block; its merkle root is checked. As ``pure.parse_block``."""
    try:
        columns, root = blockparse.parse_block(raw, pon, full_ids, hash160)
    except blockparse.Malformed as malformed:
        raise _parse_error(malformed) from None
    block = _block(columns)
    if root != block.merkle_root:
        check_merkle_root(block.hash, block.merkle_root, [block.txid(i) for i in range(block.tx_count)])
        raise ChainError(
            f"block {hash_text(block.hash)}: the compiled SHA-256 disagrees with Python's; "
            "set FLUX_PARSER=pure and report this processor"
        )
    return block


def parse_transaction(raw: bytes) -> ParsedTransaction:
    """A transaction that stands alone; raises ParseError. As ``pure.parse_transaction``."""
    try:
        columns = blockparse.parse_transaction(raw, hash160)
    except blockparse.Malformed as malformed:
        raise _parse_error(malformed) from None
    return alone(_block(columns))


def _block(columns: list[Any]) -> ParsedBlock:
    if columns[_STARTS]:
        columns[_STARTS] = tuple(map(_start, columns[_STARTS]))
    # Not by __init__: of a frozen class it costs as much as ten transactions.
    return blockparse.fill(object.__new__(ParsedBlock), _FIELDS, columns)


def _start(fields: list[Any]) -> NodeStart:
    if fields[-1] is not None:
        fields[-1] = Delegates(*fields[-1])
    return NodeStart(*fields)


def _parse_error(malformed: blockparse.Malformed) -> ParseError:
    template, item, offset, numbers = malformed.args
    return ParseError(template.format(*numbers), offset=offset, structure=item)
