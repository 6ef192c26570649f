"""Node records: what is known of a node, how a START makes or renews one, and in which order nodes are paid."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from indexer.chain import tiers
from indexer.chain.hashes import hash160
from indexer.chain.keys import P2PKH, P2SH, outpoint_text
from indexer.chain.params import Network
from indexer.chain.tiers import Tier
from indexer.errors import ChainError

FOUNDATION = 3
"""Kind of payee: the collateral's own address, by the foundation key. The others are keys.P2PKH and keys.P2SH."""

DELEGATES_UPDATE = 1
"""Type of a delegates section that replaces the stored keys (``transaction.h: CFluxnodeDelegates``)."""


class Status(IntEnum):
    """Where a node is in its life; the first three are on a list of the daemon."""

    STARTED = 1
    CONFIRMED = 2
    DOS = 3
    EXPIRED = 4  # no confirmation in time
    SPENT = 5  # collateral spent
    REMOVED = 6  # collateral amount no longer accepted
    RELEASED = 7  # left the DoS list

    @property
    def label(self) -> str:
        """The status in lower case."""
        return self.name.lower()


@dataclass(slots=True)
class Node:
    """A node by its collateral (``fluxnode.h: FluxnodeCacheData``).

    Heights are of the present or last life, 0 for none. The queue changes live records in place; ``copy``
    what has to stay.
    """

    outpoint: bytes  # collateral, 36 bytes as in keys.py
    id: int  # txkey of the first START
    status: Status
    tier: Tier
    value: int  # collateral in zatoshi
    payee: bytes  # address key, 21 bytes
    payee_kind: int  # keys.P2PKH, keys.P2SH or FOUNDATION
    pubkey: bytes  # the node's own key
    started: int
    ip: bytes = b""  # the signed text, verbatim
    confirmed: int = 0
    last_confirmed: int = 0
    last_paid: int = 0
    ended: int = 0  # height at which it left the lists
    lives: int = 1
    paid_count: int = 0  # over all lives
    paid_total: int = 0  # zatoshi, over all lives
    delegates: tuple[bytes, ...] = ()  # compressed keys; survive the end of a life

    def copy(self) -> Node:
        """The record as it is now."""
        return Node(
            self.outpoint,
            self.id,
            self.status,
            self.tier,
            self.value,
            self.payee,
            self.payee_kind,
            self.pubkey,
            self.started,
            self.ip,
            self.confirmed,
            self.last_confirmed,
            self.last_paid,
            self.ended,
            self.lives,
            self.paid_count,
            self.paid_total,
            self.delegates,
        )


def order_key(node: Node) -> tuple[int, bool, bytes]:
    """Sorts the confirmed nodes of a tier in payment order, the next one to be paid first.

    By the height of the last payment or, before the first one, of the first confirmation; at equal height the
    newly confirmed first; then by outpoint (``fluxnode.h: FluxnodeListData::operator<``).
    """
    return node.last_paid or node.confirmed, node.last_paid > 0, node.outpoint


class DelegatesSection(Protocol):
    """The delegates section of a START as parsed."""

    @property
    def type(self) -> int: ...
    @property
    def keys(self) -> tuple[bytes, ...]: ...


class StartFields(Protocol):
    """What a parsed START transaction says, as far as the record needs it."""

    @property
    def outpoint(self) -> bytes: ...
    @property
    def collateral_pubkey(self) -> bytes: ...
    @property
    def pubkey(self) -> bytes: ...
    @property
    def redeem_script(self) -> bytes: ...
    @property
    def delegates(self) -> DelegatesSection | None: ...


@dataclass(frozen=True, slots=True)
class Collateral:
    """The unspent output that a START names."""

    value: int  # zatoshi
    address: bytes  # address key
    height: int  # of the block that made it


def payee_of_start(network: Network, start: StartFields, collateral_address: bytes) -> tuple[bytes, int]:
    """The address key that a START's node is paid to, and its kind (``fluxnode.cpp: GetNextPayment``).

    A redeem script is paid by its hash, the foundation key at the collateral's own address, any other
    collateral key by its hash.
    """
    if start.redeem_script:
        return bytes([P2SH]) + hash160(start.redeem_script), P2SH
    if start.collateral_pubkey == network.nodes.foundation_key:
        return collateral_address, FOUNDATION
    return bytes([P2PKH]) + hash160(start.collateral_pubkey), P2PKH


def deep_enough(height: int, made: int) -> bool:
    """Whether a collateral made at height ``made`` may start in block ``height``."""
    return height - made >= tiers.COLLATERAL_DEPTH


def delegates_after(start: StartFields, stored: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The delegate keys of an outpoint after a START: an UPDATE replaces the stored set, anything else keeps it."""
    section = start.delegates
    return section.keys if section is not None and section.type == DELEGATES_UPDATE else stored


def started_node(
    network: Network, height: int, txkey: int, start: StartFields, collateral: Collateral, previous: Node | None
) -> Node:
    """The record that a START in block ``height`` makes (``fluxnode.cpp: AddNewStart``).

    ``previous`` is the last record of the same outpoint, if it ever was a node: identity, counters and
    delegates carry over. ChainError when the collateral is not one that the daemon accepts.
    """
    tier = tiers.tier_of_collateral(network, collateral.value, height)
    if tier is None or not deep_enough(height, collateral.height):
        raise ChainError(
            f"START of {outpoint_text(start.outpoint)} in block {height}: the daemon accepts no collateral of "
            f"{collateral.value} zatoshi made at height {collateral.height}; the utxos of this index are wrong: rewind"
        )
    payee, kind = payee_of_start(network, start, collateral.address)
    node = Node(start.outpoint, txkey, Status.STARTED, tier, collateral.value, payee, kind, start.pubkey, height)
    if previous is not None:
        node.id, node.lives = previous.id, previous.lives + 1
        node.paid_count, node.paid_total = previous.paid_count, previous.paid_total
    node.delegates = delegates_after(start, previous.delegates if previous else ())
    return node
