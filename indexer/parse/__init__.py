"""Blocks and transactions as columns: ``columns`` is the contract, ``pure`` the reference, ``compiled`` its fast twin.

``FLUX_PARSER`` chooses: ``pure``, ``compiled``, or ``auto`` (the default: compiled where it was built).
``FLUX_REQUIRE_EXT=1`` makes a missing extension an error.
"""

from __future__ import annotations

import logging
import os
from types import ModuleType
from typing import Protocol

from indexer.errors import ConfigError
from indexer.parse.columns import ParsedBlock, ParsedTransaction

PARSERS = ("auto", "compiled", "pure")

_BUILD = "build it with `python setup.py build_ext --inplace` (needs Cython and a C compiler)"


class BlockParser(Protocol):
    """``parse_block`` of either parser."""

    def __call__(self, raw: bytes, *, pon: bool = True, full_ids: bool = False) -> ParsedBlock:
        """The columns of a block; its merkle root is checked. Raises ParseError, MerkleMismatch."""


class TransactionParser(Protocol):
    """``parse_transaction`` of either parser."""

    def __call__(self, raw: bytes) -> ParsedTransaction:
        """A transaction that stands alone. Raises ParseError."""


def choose_parser(wanted: str, required: bool) -> ModuleType:
    """The module that parses: ``pure`` or ``compiled``; the pure one in place of a missing compiled one says so.

    Raises ConfigError for an unknown name, and for a missing extension that is wanted by name or required.
    """
    from indexer.parse import pure

    if wanted not in PARSERS:
        raise ConfigError(f"FLUX_PARSER is {wanted!r}; it must be one of {', '.join(PARSERS)}")
    if wanted == "pure":
        return pure
    try:
        from indexer.parse import compiled
    except ImportError as missing:
        if wanted == "compiled" or required:
            raise ConfigError(f"the compiled parser cannot be loaded ({missing}); {_BUILD}") from missing
        logging.getLogger(__name__).warning("the pure parser serves, which is slow: no compiled one; %s", _BUILD)
        return pure
    return compiled


_parser = choose_parser(os.environ.get("FLUX_PARSER", "auto"), os.environ.get("FLUX_REQUIRE_EXT") == "1")

PARSER = _parser.__name__.rpartition(".")[2]
parse_block: BlockParser = _parser.parse_block
parse_transaction: TransactionParser = _parser.parse_transaction

__all__ = ["PARSER", "PARSERS", "choose_parser", "parse_block", "parse_transaction"]
