"""Both parsers side by side."""

from __future__ import annotations

from typing import Any

import pytest

from indexer.errors import MerkleMismatch, ParseError
from indexer.parse import pure
from indexer.parse.columns import ParsedBlock, ParsedTransaction
from tests.conftest import REQUIRE_ALL

try:
    from indexer.parse import compiled
except ImportError as missing:
    if REQUIRE_ALL:
        raise
    reason = f"the compiled parser is absent ({missing}): python setup.py build_ext --inplace"
    pytest.skip(reason, allow_module_level=True)

__all__ = ["block", "compiled", "good_block", "good_transaction", "pure", "refusal", "transaction"]

Refusal = tuple[str, str, int, str]  # class, structure, offset, whole message


def _outcome(parse: Any, raw: bytes, **options: bool) -> Any:
    try:
        return parse(raw, **options)
    except ParseError as error:
        return "ParseError", error.structure, error.offset, str(error)
    except MerkleMismatch as error:
        return "MerkleMismatch", "", 0, str(error)


def block(raw: bytes, **options: bool) -> ParsedBlock | Refusal:
    """What both parsers make of a block; they must agree."""
    result: ParsedBlock | Refusal = _outcome(pure.parse_block, raw, **options)
    assert _outcome(compiled.parse_block, raw, **options) == result
    return result


def transaction(raw: bytes) -> ParsedTransaction | Refusal:
    """What both parsers make of a transaction; they must agree."""
    result: ParsedTransaction | Refusal = _outcome(pure.parse_transaction, raw)
    assert _outcome(compiled.parse_transaction, raw) == result
    return result


def good_block(raw: bytes, **options: bool) -> ParsedBlock:
    """The columns of a block that both parsers accept."""
    result = block(raw, **options)
    assert isinstance(result, ParsedBlock), result
    return result


def good_transaction(raw: bytes) -> ParsedTransaction:
    """A transaction that both parsers accept."""
    result = transaction(raw)
    assert isinstance(result, ParsedTransaction), result
    return result


def refusal(result: object) -> tuple[str, int]:
    """Structure and offset of a ParseError."""
    assert isinstance(result, tuple) and result[0] == "ParseError", result
    return result[1], result[2]
