"""Blocks and transactions as columns: ``columns`` is the contract, ``pure`` the reference."""

from __future__ import annotations

from indexer.parse.pure import parse_block, parse_transaction

PARSER = "pure"

__all__ = ["PARSER", "parse_block", "parse_transaction"]
