"""The recorded chain in the store: at every height what the daemon said then, and after every reorganisation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal

import pytest

from indexer.chain.keys import hash_text, outkey_txkey
from indexer.errors import TooDeep
from indexer.state.delta import Delta, Totals
from tests import recorded
from tests.indexed import Index, branch, chain
from tests.memory_store import MemoryStore

COIN = 10**8
REORGS = ("R1", "R2", "R3", "R4", "R5")


class Observed(Index):
    """Remembers the last delta."""

    delta: Delta

    def extend(self, hashes: Iterable[str]) -> None:
        """One commit; keep what it changed."""
        apply = self.state.apply

        def keep(blocks: list) -> Delta:  # type: ignore[type-arg]
            self.delta = apply(blocks)
            return self.delta

        self.state.apply = keep  # type: ignore[method-assign,assignment]
        super().extend(hashes)
        self.state.apply = apply  # type: ignore[method-assign]


@pytest.fixture(scope="module")
def steps() -> list[tuple[Totals, int]]:
    """For every height the running totals and the number of transactions with unspent outputs."""
    return list(_index_block_by_block())


def _index_block_by_block() -> Iterator[tuple[Totals, int]]:
    index = Observed(MemoryStore())
    owners: Counter[int] = Counter()
    for hash_ in chain():
        index.extend([hash_])
        owners.update(outkey_txkey(coin.outkey) for coin in index.delta.made.values())
        owners.subtract(outkey_txkey(coin.outkey) for coin in index.delta.spent.values())
        owners += Counter()
        yield index.state.totals, len(owners)


def test_utxo_statistics_at_every_height(steps: list[tuple[Totals, int]]) -> None:
    for block, (totals, transactions) in zip(recorded.blocks(), steps, strict=True):
        said = recorded.states()[block["hash"]]["txoutset"] if block["hash"] in recorded.states() else None
        if said is None:
            assert block["height"] == 0
            continue
        ours = (totals.txouts, transactions, Decimal(totals.transparent) / COIN)
        assert ours == (said["txouts"], said["transactions"], said["total_amount"]), block["height"]


def test_value_pools_at_every_height(steps: list[tuple[Totals, int]]) -> None:
    for block, (totals, _) in zip(recorded.blocks(), steps, strict=True):
        pools = {pool["id"]: pool["chainValueZat"] for pool in block["block"]["valuePools"]}
        assert {"sprout": totals.sprout, "sapling": totals.sapling} == pools, block["height"]


def test_what_was_issued_is_somewhere_at_every_height(steps: list[tuple[Totals, int]]) -> None:
    for height, (totals, _) in enumerate(steps):
        held = totals.transparent + totals.sprout + totals.sapling + totals.unspendable
        assert held == totals.issued, height


def test_every_payout_is_the_one_that_the_queue_predicts(steps: list[tuple[Totals, int]]) -> None:
    last, _ = steps[-1]
    assert last.payouts_mismatched == 0
    assert last.payouts_checked == 5953


def test_batches_and_small_caches_make_no_difference() -> None:
    straight = MemoryStore()
    Index(straight).catch_up(chain(), len(chain()))
    small = MemoryStore()
    Index(small, memory=60_000).catch_up(chain(), 7)
    assert small.chain_derived() == straight.chain_derived()


@pytest.mark.parametrize("name", REORGS)
def test_a_reorganisation_leaves_no_trace_but_the_journal(name: str) -> None:
    fork, lost = branch(name)
    end = fork + len(lost) + 4
    index = Index(MemoryStore())
    index.catch_up(chain()[: fork - 3], fork - 3)
    for hash_ in (*chain()[fork - 3 : fork + 1], *lost):
        index.extend([hash_])
    assert hash_text(index.tip["hash"]) == lost[-1]
    index.rewind(fork)
    index.catch_up(chain()[:end], 1)
    straight = MemoryStore()
    Index(straight).catch_up(chain()[:end], end)
    assert index.store.chain_derived() == straight.chain_derived()  # type: ignore[attr-defined]
    head, *orphans = index.store.scan("reorgs")
    assert (head["fork"], head["cause"], head["old_tip"]["height"]) == (fork, "reorg", fork + len(lost))
    assert [hash_text(orphan["hash"]) for orphan in orphans] == list(reversed(lost))
    for orphan in orphans:
        outputs = recorded_outputs(hash_text(orphan["hash"]))
        assert sum(credit["value"] for credit in orphan["credits"]) == outputs


def recorded_outputs(hash_: str) -> int:
    """The sum of a stale block's outputs that show an address, zatoshi."""
    (block,) = [b["block"] for b in recorded.stale_blocks() if b["hash"] == hash_]
    outputs = [out for tx in block["tx"] for out in tx.get("vout", [])]
    return sum(o["valueZat"] for o in outputs if len(o["scriptPubKey"].get("addresses", [])) == 1 and _single(o))


def _single(output: dict) -> bool:  # type: ignore[type-arg]
    return output["scriptPubKey"]["type"] in ("pubkeyhash", "scripthash", "pubkey")


def test_back_to_nothing_and_forward_again() -> None:
    index = Index(MemoryStore())
    index.catch_up(chain()[:460], 20)
    before = {name: dict(rows) for name, rows in index.store.chain_derived().items()}  # type: ignore[attr-defined]
    index.rewind(-1, "operator")
    assert not any(index.store.chain_derived().values())  # type: ignore[attr-defined]
    index.catch_up(chain()[:460], 20)
    assert index.store.chain_derived() == before  # type: ignore[attr-defined]
    assert index.tip["reorgs"] == 1


def test_too_deep_is_refused_and_says_how_deep_is_possible() -> None:
    index = Index(MemoryStore(), undo_depth=10)
    index.catch_up(chain()[:60], 1)
    rows = {name: dict(rows) for name, rows in index.store.chain_derived().items()}  # type: ignore[attr-defined]
    with pytest.raises(TooDeep, match="cannot go back to block 30: undo records begin at block 49"):
        index.rewind(30)
    assert index.store.chain_derived() == rows  # type: ignore[attr-defined]
    index.rewind(48)
    assert index.tip["height"] == 48
