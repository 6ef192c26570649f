"""The demo chain under the indexer's eyes: every rule holds in every block, and every fate comes to pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from indexer.chain.nodes import FOUNDATION, Status
from indexer.chain.params import upgrade_at
from indexer.chain.pon import eligible, pon_hash, slot
from indexer.chain.queue import BlockEvents, Changes, NodeQueue
from indexer.demo.builder import FIRST_BLOCKS, Builder
from indexer.demo.chain import DemoChain, load
from indexer.demo.files import FILE_NAME, BlockFile
from indexer.demo.network import demo_network
from indexer.errors import Locked
from indexer.parse.columns import FORM_TYPES, KIND_NAMES
from indexer.state.delta import Delta
from tests.demo.chains import NOW, DemoIndex, begin, copy_of, lists_of, orders

NETWORK = demo_network()


@contextmanager
def opened(folder: Path) -> Iterator[DemoChain]:
    with closing(BlockFile(folder / FILE_NAME, NETWORK.magic)) as file:
        yield load(NETWORK, file)


@dataclass
class Seen:
    """What happened on a chain."""

    eras: Counter[str] = field(default_factory=Counter)
    events: Counter[tuple[str, str]] = field(default_factory=Counter)  # by era
    forms: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    starts: Counter[str] = field(default_factory=Counter)
    funds: Counter[str] = field(default_factory=Counter)
    deltas: list[str] = field(default_factory=list)
    final: DemoIndex = field(default_factory=DemoIndex)


@pytest.fixture(scope="module")
def seen(first_chain: Path) -> Seen:
    """The first chain, indexed block by block; what must hold in every block is asserted on the way."""
    seen, index = Seen(), DemoIndex()
    with pytest.MonkeyPatch.context() as patch, opened(first_chain) as chain:
        patch.setattr(NodeQueue, "apply", watched(seen))
        for place in chain.active:
            delta = index.extend([chain.raw(place)])
            check_block(delta, place.height)
            note(seen, delta, place.height)
    seen.final = index
    return seen


def watched(seen: Seen) -> object:
    """NodeQueue.apply that also notes its events."""
    apply = NodeQueue.apply

    def noting(self: NodeQueue, block: BlockEvents, undo: object = None) -> Changes:
        changes = apply(self, block, undo)  # type: ignore[arg-type]
        era = upgrade_at(NETWORK, block.height)
        seen.events.update((event.value, era) for event, _, _ in changes.events)
        return changes

    return noting


def check_block(delta: Delta, height: int) -> None:
    (block,) = delta.blocks
    totals = block.totals
    assert totals.payouts_mismatched == 0, height
    assert totals.issued == totals.transparent + totals.sprout + totals.sapling + totals.unspendable, height
    assert block.payouts.missing == (), height
    assert block.payouts.unclaimed >= 0, height
    assert all(fee is None or fee >= 0 for fee in block.fees), height
    assert min(totals.sprout, totals.sapling) >= 0, height


def note(seen: Seen, delta: Delta, height: int) -> None:
    (block,) = delta.blocks
    seen.eras[upgrade_at(NETWORK, height)] += 1
    seen.forms.update(FORM_TYPES[form] for form in block.parsed.forms)
    seen.kinds.update(KIND_NAMES[kind] for kind in block.parsed.kinds)
    seen.funds.update(map(str, block.payouts.funds))
    for start in block.starts:
        seen.starts[f"version {start.start.version}"] += 1
        if start.start.redeem_script:
            seen.starts["p2sh"] += 1
        if start.payee_kind == FOUNDATION:
            seen.starts["foundation key"] += 1
        if start.start.delegates is not None:
            seen.starts[f"delegates {start.start.delegates.type}"] += 1


def test_every_block_keeps_the_rules(seen: Seen) -> None:
    assert seen.final.state.tip.height == FIRST_BLOCKS
    assert seen.final.state.totals.payouts_checked > 2 * (FIRST_BLOCKS - NETWORK.nodes.payments_from)


def test_every_era_has_blocks(seen: Seen) -> None:
    assert list(seen.eras) == ["base", "lwma", "equihash_144_5", "acadia", "kamiooka", "kamata", "flux", "halving",
                               "p2shnodes", "pon"]  # fmt: skip


EVERYWHERE = ("start", "confirm", "update", "payout", "dos", "released", "expired", "spent")


@pytest.mark.parametrize("fate", EVERYWHERE)
@pytest.mark.parametrize("era", ["kamata", "flux", "halving", "p2shnodes", "pon"])
def test_every_fate_meets_a_node_in_every_era(seen: Seen, fate: str, era: str) -> None:
    assert seen.events[fate, era] > 0


@pytest.mark.parametrize("era", ["flux", "halving", "p2shnodes", "pon"])
def test_ips_change(seen: Seen, era: str) -> None:
    assert seen.events["ip_change", era] > 5


def test_old_collaterals_lapse(seen: Seen) -> None:
    assert seen.events["removed", "halving"] > 5


@pytest.mark.parametrize(
    "kind", ["version 5", "version 6", "p2sh", "foundation key", "delegates 1", "delegates 2"]
)
def test_every_kind_of_start_occurs(seen: Seen, kind: str) -> None:
    assert seen.starts[kind] > 0


def test_transfers_have_many_shapes(seen: Seen) -> None:
    assert {"pubkeyhash", "scripthash", "pubkey", "multisig", "nulldata"} <= set(seen.forms)
    assert seen.kinds["transfer"] > FIRST_BLOCKS


def test_nodes_are_several_hundred_and_share_payees(seen: Seen) -> None:
    confirmed = [node for node in seen.final.state.nodes.queue if node.status == Status.CONFIRMED]
    assert len(confirmed) > 300
    assert {node.tier for node in confirmed} == {1, 2, 3}
    assert max(Counter(node.payee for node in confirmed).values()) > 4


def test_the_builder_keeps_the_same_lists_as_the_index(seen: Seen, first_chain: Path) -> None:
    with opened(first_chain) as chain:
        index, demo = orders(seen.final.state, chain)
        assert index == demo
        assert lists_of(seen.final.state.nodes.queue) == lists_of(chain.queue)


def test_producers_are_eligible(first_chain: Path) -> None:
    with opened(first_chain) as chain:
        for place in chain.active[NETWORK.upgrades.pon :]:
            block = chain.parsed(place)
            number = slot(NETWORK, block.time)
            assert eligible(pon_hash(block.producer, block.prev_hash, number), block.bits), place.height


def test_times_end_at_the_given_one(first_chain: Path) -> None:
    with opened(first_chain) as chain:
        times = [place.time for place in chain.active]
    assert all(after > before for before, after in zip(times[:-1], times[1:], strict=True))
    assert NOW - 60 < times[-1] <= NOW + 60


def test_the_seed_decides(first_chain: Path, tmp_path: Path) -> None:
    height = 500
    hashes = []
    for name, seed in (("same", 1), ("other", 2)):
        builder = begin(tmp_path / name, seed)
        builder.build(FIRST_BLOCKS, NOW, most=height)
        hashes.append([place.hash for place in builder.chain.active])
        builder.chain.file.close()
    with opened(first_chain) as chain:
        assert hashes[0] == [place.hash for place in chain.active[: height + 1]]
    assert not set(hashes[0][1:]) & set(hashes[1][1:])


def state_of(chain: DemoChain) -> tuple[object, ...]:
    return (
        chain.tip,
        chain.coins,
        chain.collaterals,
        {address: coins for address, coins in chain.coins_of.items() if coins},
        lists_of(chain.queue),
        chain.former,
        chain.transactions,
        (chain.sprout, chain.sapling),
    )


def test_branches_are_taken_back_and_a_restart_finds_the_same_state(first_chain: Path, tmp_path: Path) -> None:
    folder = copy_of(first_chain, tmp_path)
    with opened(folder) as chain:
        builder = Builder(chain, 1)
        for number in range(12):
            builder.fill(NOW + 10 * number, builder.random("test"), 3)
            builder.extend(NOW + 10 * number)
            if number % 3 == 2:
                left = chain.tip
                builder.reorganise(1 + number // 3, NOW + 10 * number + 5)
                assert left.hash not in {place.hash for place in chain.active}
                assert left.height + 1 == chain.height
        before = state_of(chain)
    with opened(folder) as chain:
        assert state_of(chain) == before
        for _ in range(8):
            chain.disconnect()
        back = state_of(chain)
        place = chain.tip
    with opened(folder) as chain:
        while chain.tip != place:
            chain.disconnect()
        assert state_of(chain) == back


def test_a_record_cut_short_is_forgotten(first_chain: Path, tmp_path: Path) -> None:
    folder = copy_of(first_chain, tmp_path)
    with open(folder / FILE_NAME, "r+b") as file:
        file.truncate((folder / FILE_NAME).stat().st_size - 7)
    with opened(folder) as chain:
        assert chain.height == FIRST_BLOCKS - 1
        builder = Builder(chain, 1)
        builder.extend(NOW)
        tip = chain.tip.hash
    with opened(folder) as chain:
        assert chain.tip.hash == tip


def test_one_daemon_per_folder(first_chain: Path, tmp_path: Path) -> None:
    folder = copy_of(first_chain, tmp_path)
    with opened(folder), pytest.raises(Locked, match="another demo daemon extends"), opened(folder):
        pass
