"""Stored rows of transactions -> result objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal, cast

from explorer.queries.results import Delegates, Input, NodeEvent, Output, Place, Position, Shielded, Spend, Transaction
from explorer.queries.text import address_text, script_text, script_type, tier_name
from explorer.queries.units import ABSENT, Absence, Kind
from indexer.chain.address import encode_address
from indexer.chain.keys import hash_text, outpoint_text
from indexer.chain.params import Network
from indexer.parse.columns import DELEGATES_SIGNING, DELEGATES_UPDATE, KIND_NAMES, NULLDATA
from indexer.store import codec
from indexer.store.codec import Confirm, Document, unconfirmed_confirm, unconfirmed_row

Spends = Mapping[int, Spend]  # by output number

PAYEE_TYPES: Mapping[int, Literal["p2pkh", "p2sh", "foundation"]] = {1: "p2pkh", 2: "p2sh", 3: "foundation"}
DELEGATES_TYPES: Mapping[int, Literal["update", "signing"]] = {
    DELEGATES_UPDATE: "update",
    DELEGATES_SIGNING: "signing",
}


def kind_name(kind: int) -> Kind:
    """The name of a kind of transaction."""
    return cast(Kind, KIND_NAMES[kind])


def stored_transaction(
    row: codec.Transaction,
    start: Document | None,
    spends: Spends | None,
    *,
    place: Place | None,
    confirmations: int,
    network: Network,
    also_in: tuple[Position, ...] = (),
) -> Transaction:
    """A row of ``transactions``; ``start`` is that of ``node_starts`` for a START, ``spends`` None in lists."""
    return Transaction(
        txid=hash_text(row.txid),
        block=place,
        confirmations=confirmations,
        type=kind_name(row.kind),
        version=row.version,
        size=row.size,
        lock_time=row.lock_time,
        expiry_height=row.expiry_height,
        fee=row.fee,
        coinbase=None if row.coinbase is None else row.coinbase.hex(),
        inputs=tuple(Input(outpoint_text(i.outpoint), address_text(i.address, network), i.value) for i in row.inputs),
        outputs=tuple(outputs(row.outputs, spends, network)),
        shielded=None if row.shielded is None else _shielded(row.shielded),
        node=None if start is None else start_event(start, network),
        also_in=also_in,
    )


def confirm_transaction(
    txid: bytes,
    confirm: Confirm,
    start: Document,
    *,
    place: Place | None,
    confirmations: int,
    network: Network,
    also_in: tuple[Position, ...] = (),
) -> Transaction:
    """A confirmation of the node whose latest START is ``start``."""
    return Transaction(
        txid=hash_text(txid),
        block=place,
        confirmations=confirmations,
        type="node_confirm",
        version=confirm.version,
        size=confirm.size,
        lock_time=None,
        expiry_height=None,
        fee=None,
        coinbase=None,
        inputs=(),
        outputs=(),
        shielded=None,
        node=confirm_event(confirm, start, network),
        also_in=also_in,
    )


def unconfirmed_transaction(document: Document, network: Network) -> Transaction:
    """A row of ``mempool``."""
    node = document.get("node")
    confirm = unconfirmed_confirm(document)
    if confirm is not None and node is not None:
        txid = bytes(document["_id"])
        found = confirm_transaction(txid, confirm, node, place=None, confirmations=0, network=network)
    else:
        row = unconfirmed_row(document)
        found = stored_transaction(row, node, {}, place=None, confirmations=0, network=network)
    return replace(found, first_seen=document["seen"])


def delta(transaction: codec.Transaction, key: bytes) -> int:
    """What a transaction changes for an address, in zatoshi."""
    received = sum(output.value for output in transaction.outputs if output.address == key)
    return received - sum(spent.value for spent in transaction.inputs if spent.address == key)


def outputs(rows: Iterable[codec.Output], spends: Spends | None, network: Network) -> Iterable[Output]:
    """The outputs of a transaction with what spent them; without that when ``spends`` is None."""
    for n, row in enumerate(rows):
        spent_by: Spend | None | Absence = ABSENT if spends is None else spends.get(n)
        address = address_text(row.address, network)
        text = script_text(row.script) if row.form == NULLDATA else None
        yield Output(n, row.value, address, script_type(row.form), text, spent_by)


def start_event(start: Document, network: Network) -> NodeEvent:
    """What a START says."""
    return NodeEvent(
        node=outpoint_text(bytes(start["outpoint"])),
        event="start",
        tier=tier_name(start["tier"]),
        ip=None,
        address=encode_address(bytes(start["payee"]), network),
        signed_at=start["sig_time"],
        benchmark_signed_at=None,
        payee_type=PAYEE_TYPES[start["payee_kind"]],
        delegates=_delegates(start.get("delegates")),
    )


def confirm_event(confirm: Confirm, start: Document, network: Network) -> NodeEvent:
    """What a confirmation says, with tier and payee from the node's START."""
    return NodeEvent(
        node=outpoint_text(bytes(start["outpoint"])),
        event="update" if confirm.update else "confirm",
        tier=tier_name(start["tier"]),
        ip=confirm.ip.decode("latin-1"),
        address=encode_address(bytes(start["payee"]), network),
        signed_at=confirm.sig_time,
        benchmark_signed_at=confirm.benchmark_time,
        payee_type=PAYEE_TYPES[start["payee_kind"]],
        delegates=None,
    )


def _shielded(row: codec.Shielded) -> Shielded:
    return Shielded(row.sprout_in, row.sprout_out, row.value_balance, row.joinsplits, row.spends, row.outputs)


def _delegates(document: Document | None) -> Delegates | None:
    if document is None:
        return None
    keys = tuple(bytes(key).hex() for key in document["keys"])
    return Delegates(document["using"], DELEGATES_TYPES.get(document["type"]), keys)
