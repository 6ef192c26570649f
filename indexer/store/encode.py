"""A batch as documents: the writing half of ``codec``, for the indexer only."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import chain
from typing import Any

from indexer.chain.keys import NO_ADDRESS, eventkey, txkey
from indexer.chain.replay import LISTS, PastLists
from indexer.parse.columns import COINBASE, EXACT_P2SH, NODE_CONFIRM, NODE_START, OVERWINTERED, ParsedBlock, ints
from indexer.state.delta import AppliedBlock, Coin, Delta, LedgerRow, NodeRow, Start
from indexer.store.codec import CONFIRM_FIXED_SIZE, EVENT_CODES, compact_size, ledger_id, pack_i64, pack_u32

VERSION_MASK = 0x7FFFFFFF

NODE_FIELDS = NodeRow._fields[1:]


def immutable_rows(delta: Delta) -> dict[str, list[dict[str, Any]]]:
    """The rows of a batch that never change, by collection."""
    rows: dict[str, list[dict[str, Any]]] = {
        "transactions": [], "node_starts": [], "node_confirms": [], "node_events": [], "queue_snapshots": [],
        "txids": [], "payouts": [], "ledger": [], "blocks": [],
    }  # fmt: skip
    for block in delta.blocks:
        rows["blocks"].append(block_document(block))
        rows["txids"].append(txids_document(block))
        rows["payouts"].append(payouts_document(block))
        rows["transactions"].extend(transaction_documents(block))
        rows["node_starts"].extend(start_documents(block))
        if block.confirm_nodes:
            rows["node_confirms"].append(confirms_document(block))
        rows["node_events"].extend(event_documents(block))
        if block.snapshot is not None:
            rows["queue_snapshots"].append(snapshot_document(block.snapshot))
        rows["ledger"].extend(map(ledger_document, block.ledger))
    return rows


def block_document(block: AppliedBlock) -> dict[str, Any]:
    """A row of ``blocks``."""
    parsed, totals = block.parsed, block.totals
    document = {
        "_id": block.height,
        "hash": parsed.hash,
        "time": parsed.time,
        "max_time": totals.max_time,
        "version": parsed.version,
        "bits": parsed.bits,
        "size": len(parsed.raw),
        "merkle_root": parsed.merkle_root,
        "tx_count": parsed.tx_count,
        "starts": len(block.starts),
        "confirms": len(block.confirm_nodes),
        "confirm_tiers": list(block.confirm_tiers),
        "fees": block.fee_sum,
        "coinbase_value": block.coinbase_value,
        "txs_total": totals.txs_total,
        "issued": totals.issued,
        "transparent": totals.transparent,
        "txouts": totals.txouts,
        "sprout": totals.sprout,
        "sapling": totals.sapling,
        "unspendable": totals.unspendable,
        "payouts_checked": totals.payouts_checked,
        "payouts_mismatched": totals.payouts_mismatched,
        "fees_total": totals.fees_total,
        "active_total": totals.active_total,
    }
    if parsed.producer:
        document["producer"] = parsed.producer
    if block.producer:
        document["producer_node"], document["producer_status"] = block.producer
    return document


def txids_document(block: AppliedBlock) -> dict[str, Any]:
    """A row of ``txids``: prefixes of the txids, then of the full-bytes ids of node transactions."""
    parsed = block.parsed
    prefixes = struct.iter_unpack("<i28x", parsed.txids + parsed.full_ids)
    return {"_id": block.height, "prefixes": [prefix for (prefix,) in prefixes]}


def payouts_document(block: AppliedBlock) -> dict[str, Any]:
    """A row of ``payouts``."""
    judged = block.payouts
    return {
        "_id": block.height,
        "checked": judged.checked,
        "tiers": [payout.tier for payout in judged.payouts],
        "nodes": list(block.payout_nodes),
        "payees": [payout.payee for payout in judged.payouts],
        "amounts": [payout.amount for payout in judged.payouts],
        "vouts": [-1 if payout.vout is None else payout.vout for payout in judged.payouts],
        "funds": list(judged.funds),
    }


def transaction_documents(block: AppliedBlock) -> Iterator[dict[str, Any]]:
    """The rows of ``transactions`` of a block: all but the confirmations."""
    parsed = block.parsed
    tx_start = ints(parsed.tx_start, "I")
    headers = ints(parsed.headers, "I")
    lock_times = ints(parsed.lock_times, "I")
    expiry_heights = ints(parsed.expiry_heights, "I")
    for index, kind in enumerate(parsed.kinds):
        if kind == NODE_CONFIRM:
            continue
        document = {
            "_id": txkey(block.height, index),
            "txid": parsed.txid(index),
            "kind": kind,
            "version": headers[index] & VERSION_MASK,
            "size": tx_start[index + 1] - tx_start[index],
        }
        if kind != NODE_START:
            document["lock"] = lock_times[index]
            if headers[index] & OVERWINTERED:
                document["expiry"] = expiry_heights[index]
            if kind == COINBASE:
                document["coinbase"] = parsed.coinbase_script
            else:
                document["fee"] = block.fees[index]
            _add_inputs(document, block, index)
            _add_outputs(document, block, index)
            _add_shielded(document, parsed, index)
        yield document


def _add_inputs(document: dict[str, Any], block: AppliedBlock, index: int) -> None:
    first, end = struct.unpack_from("<2I", block.parsed.input_start, 4 * index)
    if first == end:
        return
    coins = block.spent[first:end]
    document["in_keys"] = [coin.outkey for coin in coins]
    document["in_points"] = block.parsed.prevouts[36 * first : 36 * end]
    document["in_addresses"] = b"".join([coin.address for coin in coins])
    document["in_values"] = pack_i64([coin.value for coin in coins])


def _add_outputs(document: dict[str, Any], block: AppliedBlock, index: int) -> None:
    parsed = block.parsed
    first, end = struct.unpack_from("<2I", parsed.output_start, 4 * index)
    document["out_values"] = parsed.values[8 * first : 8 * end]
    # The genesis output belongs to no address (main.cpp: ConnectBlock returns early).
    document["out_addresses"] = parsed.addresses[21 * first : 21 * end] if block.height else NO_ADDRESS * (end - first)
    forms = parsed.forms[first:end]
    if forms and max(forms) > EXACT_P2SH:
        document["out_forms"] = forms
        document["out_scripts"] = b"".join(
            _with_size(parsed.script(first + i)) for i, form in enumerate(forms) if form > EXACT_P2SH
        )


_ONE_BYTE_SIZES = tuple(bytes((n,)) for n in range(0xFD))


def _with_size(string: bytes) -> bytes:
    size = len(string)
    return (_ONE_BYTE_SIZES[size] if size < 0xFD else compact_size(size)) + string


def _add_shielded(document: dict[str, Any], parsed: ParsedBlock, index: int) -> None:
    amounts = (parsed.sprout_in, parsed.sprout_out, parsed.value_balances)
    counts = (parsed.joinsplits, parsed.shielded_spends, parsed.shielded_outputs)
    row = [struct.unpack_from("<q", column, 8 * index)[0] for column in amounts]
    row += [struct.unpack_from("<I", column, 4 * index)[0] for column in counts]
    if any(row):
        document["shielded"] = row


def start_documents(block: AppliedBlock) -> Iterator[dict[str, Any]]:
    """The rows of ``node_starts`` of a block."""
    if not block.starts:
        return
    node_transactions = [index for index, kind in enumerate(block.parsed.kinds) if kind >= NODE_START]
    for start in block.starts:
        ordinal = node_transactions.index(start.start.index)
        yield start_document(block.height, start, block.parsed.full_ids[32 * ordinal : 32 * ordinal + 32])


def start_document(height: int, row: Start, full_id: bytes) -> dict[str, Any]:
    """A row of ``node_starts``."""
    start = row.start
    document: dict[str, Any] = {
        "_id": txkey(height, start.index),
        "node": row.node,
        "outpoint": start.outpoint,
        "version": start.version,
        "tier": row.tier,
        "value": row.value,
        "payee": row.payee,
        "payee_kind": row.payee_kind,
        "pubkey": start.pubkey,
        "owner": start.redeem_script or start.collateral_pubkey,
        "sig_time": start.sig_time,
        "full_id": full_id,
    }
    if start.version == 6:
        document["flux_version"] = start.flux_version
    if start.delegates is not None:
        delegates = start.delegates
        document["delegates"] = {"using": delegates.using, "type": delegates.type, "keys": list(delegates.keys)}
    return document


def confirms_document(block: AppliedBlock) -> dict[str, Any]:
    """The row of ``node_confirms`` of a block that has confirmations."""
    parsed = block.parsed
    indexes = ints(parsed.confirm_index, "I")
    headers = ints(parsed.headers, "I")
    bits = bytes(
        [
            tier | update << 3 | (headers[index] == 6) << 4
            for tier, update, index in zip(parsed.confirm_tiers, parsed.confirm_updates, indexes, strict=True)
        ]
    )
    ip_start = ints(parsed.confirm_ip_start, "I")
    ips = [parsed.confirm_ips[a:b] for a, b in zip(ip_start, ip_start[1:], strict=False)]
    sized = [_with_size(ip) for ip in ips]
    document = {
        "_id": block.height,
        "nodes": list(block.confirm_nodes),
        "index": struct.pack(f"<{len(indexes)}H", *indexes),
        "sig_times": parsed.confirm_sig_times,
        "benchmark_times": parsed.confirm_benchmark_times,
        "bits": bits,
        "ips": b"".join(sized),
    }
    tx_start = ints(parsed.tx_start, "I")
    sizes = [tx_start[index + 1] - tx_start[index] for index in indexes]
    if sizes != [CONFIRM_FIXED_SIZE + len(ip) for ip in sized]:
        document["sizes"] = struct.pack(f"<{len(sizes)}I", *sizes)
    return document


def event_documents(block: AppliedBlock) -> Iterator[dict[str, Any]]:
    """The rows of ``node_events`` of a block."""
    for sequence, change in enumerate(block.changes):
        document: dict[str, Any] = {
            "_id": eventkey(block.height, sequence),
            "node": change.node,
            "event": EVENT_CODES[change.event],
            "tier": int(change.tier),
        }
        if change.ip:
            document["ip"] = change.ip.decode("latin-1")
        if change.former:
            document["former"] = change.former.decode("latin-1")
        yield document


def snapshot_document(lists: PastLists) -> dict[str, Any]:
    """A row of ``queue_snapshots``."""
    members = [lists.members[name] for name in LISTS]
    places = [place for entries in members for place in entries.values()]
    return {
        "_id": lists.height,
        "counts": [len(entries) for entries in members],
        "nodes": pack_i64([node for entries in members for node in entries]),
        "since": pack_u32([since for since, _ in places]),
        "paid": pack_u32([paid for _, paid in places]),
    }


def ledger_document(entry: LedgerRow) -> dict[str, Any]:
    """A row of ``ledger``."""
    return {
        "_id": ledger_id(entry.address, entry.height),
        "b": entry.balance,
        "r": entry.received,
        "n": entry.tx_count,
        "u": entry.utxo_count,
        "x": struct.pack(f"<{len(entry.positions)}H", *entry.positions),
    }


def coin_document(outpoint: bytes, coin: Coin) -> dict[str, Any]:
    """A row of ``utxos``."""
    document: dict[str, Any] = {"_id": outpoint, "k": coin.outkey, "v": coin.value}
    if coin.address != NO_ADDRESS:
        document["a"] = coin.address
    if coin.form > EXACT_P2SH:
        document["f"] = coin.form
    return document


def node_document(row: NodeRow) -> dict[str, Any]:
    """A row of ``nodes``."""
    fields = _node_fields(dict(zip(NodeRow._fields, row, strict=True)))
    return {"_id": fields.pop("id"), **fields}


def _node_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields of ``NodeRow`` as stored."""
    if "ip" in fields:
        fields["ip"] = fields["ip"].decode("latin-1")
    if "delegates" in fields:
        fields["delegates"] = list(fields["delegates"])
    return fields


def node_changes(delta: Delta) -> list[tuple[list[int], dict[str, Any]]]:
    """What a batch changed of rows of ``nodes`` that were there before: ids and the fields that they now have.

    Most nodes of a batch were confirmed and nothing else: those of one block share a change.
    """
    before = {row.id: row for row in delta.nodes_before}
    changes: dict[tuple[tuple[str, Any], ...], list[int]] = {}
    for row in delta.nodes:
        former = before.get(row.id)
        if former is not None:
            named = zip(NodeRow._fields, row, former, strict=True)
            changed = tuple((name, value) for name, value, old in named if value != old)
            changes.setdefault(changed, []).append(row.id)
    changes.pop((), None)
    return [(ids, _node_fields(dict(changed))) for changed, ids in changes.items()]


def undo_documents(delta: Delta) -> list[dict[str, Any]]:
    """The undo record of a batch, its head last."""
    ledger = [ledger_id(entry.address, entry.height) for block in delta.blocks for entry in block.ledger]
    spent = [coin_document(*item) for item in delta.spent.items()]
    nodes = list(map(node_document, delta.nodes_before))
    base = delta.first << 16
    contents: Iterator[tuple[str, Any]] = chain(
        (("ledger", b"".join(c)) for c in _chunks(ledger, 100_000)),
        (("made", b"".join(c)) for c in _chunks(list(delta.made), 100_000)),
        (("spent", c) for c in _chunks(spent, 20_000)),
        (("nodes", c) for c in _chunks(nodes, 10_000)),
        (("made_nodes", c) for c in _chunks(delta.made_nodes, 100_000)),
    )
    parts = [{"_id": base | number, name: content} for number, (name, content) in enumerate(contents, start=1)]
    previous = delta.previous
    tip = {"height": previous.height, "hash": previous.hash, "time": previous.time}
    return [*parts, {"_id": base, "to": delta.tip.height, "parts": len(parts), "tip": tip}]


def _chunks(items: list[Any], size: int) -> Iterator[list[Any]]:
    return (items[i : i + size] for i in range(0, len(items), size))
