"""The recorded chain: a real daemon's blocks with its own answers, and real main-net and Zcash-format blocks.

Everything under ``tests/data`` is recorded or real; ``tests/data/README.md`` says where it comes from.
"""

from __future__ import annotations

import json
import lzma
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from indexer.chain.params import Network
from indexer.chain.params_file import network_from_mapping

DATA = Path(__file__).parent / "data"
CHAIN = DATA / "chain"
NETWORK_FILE = CHAIN / "network.toml"
TIP = 2400


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a (compressed) JSON-lines file; amounts as Decimal."""
    with lzma.open(path, "rt") if path.suffix == ".xz" else path.open() as lines:
        for line in lines:
            yield json.loads(line, parse_float=Decimal)


@cache
def blocks() -> list[dict[str, Any]]:
    """``{height, hash, hex, block}`` of the active chain, by height."""
    return list(read_jsonl(CHAIN / "blocks.jsonl.xz"))


@cache
def stale_blocks() -> list[dict[str, Any]]:
    """Blocks that lost a reorganisation: as ``blocks`` plus ``reorg``."""
    return list(read_jsonl(CHAIN / "stale_blocks.jsonl.xz"))


@cache
def raw_by_hash() -> dict[str, bytes]:
    """Raw bytes of every recorded block, stale ones too, by hash in display order."""
    return {b["hash"]: bytes.fromhex(b["hex"]) for b in (*blocks(), *stale_blocks())}


@cache
def states() -> dict[str, dict[str, Any]]:
    """The daemon's node lists and utxo statistics right after each block became tip, by block hash."""
    return {s["hash"]: s for s in read_jsonl(CHAIN / "states.jsonl.xz")}


@cache
def addresses() -> list[dict[str, Any]]:
    """The daemon's address index at the tip: balance, utxos, txids, deltas of every address."""
    return list(read_jsonl(CHAIN / "addresses.jsonl.xz"))


@cache
def rpc_calls() -> list[dict[str, Any]]:
    """``{height, besthash, method, params, http_status, response}`` as recorded live."""
    with lzma.open(CHAIN / "rpc.json.xz", "rt") as file:
        calls: list[dict[str, Any]] = json.load(file, parse_float=Decimal)
    return calls


@cache
def subsidies() -> dict[int, int]:
    """The daemon's ``getblocksubsidy`` by height, in zatoshi."""
    rows = read_jsonl(CHAIN / "subsidy.jsonl.xz")
    return {r["height"]: int(r["subsidy"]["miner"] * 10**8) for r in rows}


@cache
def main_blocks() -> list[dict[str, Any]]:
    """Real main-net blocks (those with ``raw``)."""
    return [b for b in read_jsonl(DATA / "main" / "blocks.jsonl") if b.get("raw")]


@cache
def main_transactions() -> list[dict[str, Any]]:
    """Real main-net transactions with txid and raw hex."""
    return list(read_jsonl(DATA / "main" / "txs.jsonl"))


@cache
def zcash_blocks() -> list[dict[str, Any]]:
    """Blocks of the parent chain: the entries of its index with ``raw`` bytes added."""
    entries = json.loads((DATA / "zcash" / "index.json").read_text())
    return [e | {"raw": bytes.fromhex((DATA / "zcash" / e["file"]).read_text().strip())} for e in entries]


@cache
def network() -> Network:
    """The parameters of the recorded chain."""
    given = tomllib.loads(NETWORK_FILE.read_text(), parse_float=Decimal)
    return network_from_mapping(given, NETWORK_FILE.name)
