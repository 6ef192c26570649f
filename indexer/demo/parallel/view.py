"""One parallel chain as its server answers for it: at its newest block, or a few before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import Any, NamedTuple

from indexer.demo.http import Reply, dumps
from indexer.demo.parallel.chains import TokenChain
from indexer.demo.parallel.ledger import Ledgers

KEPT_BLOCKS = 128  # native blocks whose state is still known, as a full node keeps it


class Request(NamedTuple):
    """A request to one chain: the path begins behind what leads to the chain."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class View:
    """A chain while a native block is the tip: its height, and its time in Unix seconds."""

    chain: TokenChain
    ledgers: Ledgers
    height: int
    time: int

    @property
    def block(self) -> int:
        """The chain's own newest block."""
        return self.chain.block(self.height)

    def blocks_ago(self, block: int) -> int:
        """How many native blocks have come since a block of the chain."""
        return self.height - self.chain.native_height(block)

    def supply(self, block: int | None = None) -> int:
        """All that has been minted, zatoshi."""
        return self.ledgers.supply(self.chain.key, 0 if block is None else self.blocks_ago(block))

    def balance(self, account: str, block: int | None = None) -> int:
        """What an account has, zatoshi."""
        return self.ledgers.balance(self.chain.key, account, 0 if block is None else self.blocks_ago(block))

    def hash(self, block: int) -> bytes:
        """The hash of a block of the chain."""
        return sha256(f"{self.chain.key}/{block}".encode()).digest()


def json_reply(value: Any, status: int = HTTPStatus.OK) -> Reply:
    """An answer in JSON."""
    return Reply(status, "application/json", dumps(value).encode())


def page_reply(status: HTTPStatus) -> Reply:
    """What a web server says of its own accord."""
    return Reply(status, "text/html", f"<html><body><h1>{status.value} {status.phrase}</h1></body></html>".encode())
