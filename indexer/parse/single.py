"""A transaction that stands alone, from the columns of a block of one."""

from __future__ import annotations

from indexer.parse.columns import NodeConfirm, ParsedBlock, ParsedTransaction, ints


def alone(block: ParsedBlock) -> ParsedTransaction:
    """The only transaction of ``block``, which was parsed without a header and with ``full_ids``."""
    return ParsedTransaction(
        raw=block.raw,
        txid=block.txids,
        full_id=block.full_ids or block.txids,
        kind=block.kinds[0],
        header=ints(block.headers, "I")[0],
        lock_time=ints(block.lock_times, "I")[0],
        expiry_height=ints(block.expiry_heights, "I")[0],
        value_balance=ints(block.value_balances, "q")[0],
        sprout_in=ints(block.sprout_in, "q")[0],
        sprout_out=ints(block.sprout_out, "q")[0],
        joinsplits=ints(block.joinsplits, "I")[0],
        shielded_spends=ints(block.shielded_spends, "I")[0],
        shielded_outputs=ints(block.shielded_outputs, "I")[0],
        prevouts=block.prevouts,
        coinbase_script=block.coinbase_script,
        values=block.values,
        forms=block.forms,
        addresses=block.addresses,
        script_start=block.script_start,
        script_size=block.script_size,
        start=block.starts[0] if block.starts else None,
        confirm=_confirm(block),
    )


def _confirm(block: ParsedBlock) -> NodeConfirm | None:
    if not block.confirm_index:
        return None
    return NodeConfirm(
        outpoint=block.confirm_outpoints,
        sig_time=ints(block.confirm_sig_times, "I")[0],
        benchmark_time=ints(block.confirm_benchmark_times, "I")[0],
        tier=ints(block.confirm_tiers, "b")[0],
        update=ints(block.confirm_updates, "b")[0],
        ip=block.confirm_ips,
    )
