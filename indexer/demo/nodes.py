"""The actors of the demo network: what the owner of each collateral does next.

A plan is drawn from the seed and the node's own record, never remembered: after a restart or a reorganisation the
actors go on from the chain alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from hashlib import blake2b
from random import Random

from indexer.chain import tiers
from indexer.chain.deadlines import restart_from
from indexer.chain.keys import outkey_height
from indexer.chain.nodes import Node, Status
from indexer.chain.params import Network, upgrade_active
from indexer.chain.tiers import NEW_COLLATERAL, OLD_COLLATERAL, TIERS, Tier, Windows
from indexer.demo.chain import DemoChain
from indexer.demo.rules import IP_CHANGE_AFTER
from indexer.demo.wallet import Owner
from indexer.state.delta import Coin

NEVER = 1 << 40
PERCENT = 100


class Act(Enum):
    """What an owner does with a node or a collateral."""

    START = "start"
    CONFIRM = "confirm"
    UPDATE = "update"
    MOVE = "move"  # an update before its time, because the ip has changed
    SPEND = "spend"
    MIGRATE = "migrate"  # swap an old collateral for new ones
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Plan:
    """An act and the height of the block that it is meant for; an old collateral is swapped at ``migrate``."""

    act: Act
    height: int
    migrate: int = NEVER


class Draw:
    """Numbers drawn from a subject: equal subjects draw equal numbers."""

    def __init__(self, *subject: object) -> None:
        text = "/".join(s.hex() if isinstance(s, bytes) else str(s) for s in subject)
        self._left = int.from_bytes(blake2b(text.encode(), digest_size=16).digest(), "little")

    def below(self, bound: int) -> int:
        """A number of at least 0 and below ``bound``."""
        self._left, number = divmod(self._left, max(bound, 1))
        return number


def plan_started(seed: int, node: Node, windows: Windows) -> Plan:
    """When a started node confirms: most soon, some at the last moment, some never."""
    draw = Draw(seed, node.outpoint, node.started)
    kind, wait = draw.below(PERCENT), windows.start_wait
    if kind < 6:
        return Plan(Act.NOTHING, NEVER)
    late = kind < 14
    return Plan(Act.CONFIRM, node.started + (wait - draw.below(3) if late else 1 + draw.below(min(20, wait))))


def plan_confirmed(network: Network, seed: int, node: Node, windows: Windows, height: int) -> Plan:
    """What a confirmed node does before its expiry: an update, a move, a spent collateral, or nothing."""
    draw = Draw(seed, node.outpoint, node.last_confirmed, "confirmed")
    kind, since = draw.below(PERCENT), node.last_confirmed
    misses = 22 if windows.expiry >= 600 else 7
    if kind < misses:
        return Plan(Act.NOTHING, NEVER)
    if kind < misses + 3:
        return Plan(Act.SPEND, since + 2 + draw.below(windows.expiry))
    if kind < misses + 15 and upgrade_active(network.upgrades.flux, height):
        return Plan(Act.MOVE, since + IP_CHANGE_AFTER + draw.below(windows.update_after - IP_CHANGE_AFTER))
    slack = windows.expiry - windows.update_after
    last_moment = draw.below(8) == 0
    return Plan(Act.UPDATE, since + windows.update_after + 1 + (slack if last_moment else draw.below(slack)))


def plan_idle(network: Network, seed: int, point: bytes, coin: Coin, former: Node | None) -> Plan:
    """When a collateral that is on no list starts: some wait for long."""
    draw = Draw(seed, point, former.ended if former else 0, "idle")
    earliest = outkey_height(coin.outkey) + tiers.COLLATERAL_DEPTH
    if former is not None:
        earliest = max(earliest, restart_from(network, former) or 0)
    earliest = max(earliest, network.upgrades.kamata)
    kind = draw.below(PERCENT)
    return Plan(Act.START, earliest + (draw.below(25) if kind < 70 else draw.below(120) if kind < 92 else 400))


def migration_height(network: Network, seed: int, point: bytes, value: int) -> int:
    """The height at which an old collateral is swapped, mostly in time, sometimes after it has lapsed.

    10,000, 25,000 and 100,000 FLUX are old amounts; any other is never swapped.
    """
    for tier in TIERS:
        if value == OLD_COLLATERAL[tier]:
            begin, end = tiers.transition(network, tier)
            return begin - tiers.COLLATERAL_DEPTH + Draw(seed, point, "migration").below(end - begin + 180)
    return NEVER


class Actors:
    """Decides for every collateral that an operator owns; the plans of records that did not change are kept."""

    def __init__(self, chain: DemoChain, seed: int, owners: dict[bytes, Owner]) -> None:
        self._chain, self._seed, self._owners = chain, seed, owners
        self._plans: dict[bytes, tuple[tuple[int, int, int], Plan]] = {}
        self._windows = tiers.windows(chain.network, 0)

    def due(self, height: int) -> Iterator[tuple[Act, bytes, Owner]]:
        """What is to be done in block ``height``, the next one: act, collateral and its owner."""
        queue, former, plans = self._chain.queue, self._chain.former, self._plans
        windows = tiers.windows(self._chain.network, height)
        if windows != self._windows:
            self._windows = windows
            plans.clear()
        for point, coin in self._chain.collaterals.items():
            node = queue.get(point)
            last = former.get(point) if node is None else None
            mark = (node.status, node.started, node.last_confirmed) if node else (0, 0, last.ended if last else 0)
            known = plans.get(point)
            if known is None or known[0] != mark:
                known = plans[point] = mark, self._plan(point, coin, node, last, height)
            plan = known[1]
            if plan.height > height and plan.migrate > height:
                continue
            act = Act.MIGRATE if plan.migrate <= height else plan.act
            owner = self._owners.get(coin.address)
            if owner is not None and self._possible(act, coin, owner, height):
                yield act, point, owner

    def _plan(self, point: bytes, coin: Coin, node: Node | None, former: Node | None, height: int) -> Plan:
        network, windows = self._chain.network, self._windows
        if node is None:
            plan = plan_idle(network, self._seed, point, coin, former)
        elif node.status == Status.STARTED:
            plan = plan_started(self._seed, node, windows)
        elif node.status == Status.CONFIRMED:
            plan = plan_confirmed(network, self._seed, node, windows, height)
        else:
            plan = Plan(Act.NOTHING, NEVER)
        return replace(plan, migrate=migration_height(network, self._seed, point, coin.value))

    def _possible(self, act: Act, coin: Coin, owner: Owner, height: int) -> bool:
        network = self._chain.network
        if act == Act.START:
            return tiers.collateral_acceptable(network, coin.value, height) and can_start(network, owner, height)
        if act in (Act.CONFIRM, Act.UPDATE, Act.MOVE):
            return tiers.collateral_acceptable(network, coin.value, height)
        return True


def can_start(network: Network, owner: Owner, height: int) -> bool:
    """Whether an owner's kind of collateral may start in block ``height``: multisig ones were a late addition."""
    if not owner.redeem_script or upgrade_active(network.upgrades.p2shnodes, height):
        return True
    return owner.foundation and upgrade_active(network.upgrades.halving, height)


TARGETS = {Tier.CUMULUS: (130, 250), Tier.NIMBUS: (60, 75), Tier.STRATUS: (30, 36)}
"""How many collaterals of a tier the operators hold, before its transition and after."""


def missing_collaterals(chain: DemoChain, random: Random, most: int) -> list[int]:
    """Amounts, zatoshi, of new collaterals that the operators want now; at most ``most``."""
    height = chain.height + 1
    counts: dict[int, int] = {}
    for coin in chain.collaterals.values():
        counts[coin.value] = counts.get(coin.value, 0) + 1
    wanted: list[int] = []
    for tier in TIERS:
        begin, _ = tiers.transition(chain.network, tier)
        new = height + tiers.COLLATERAL_DEPTH >= begin
        have = counts.get(OLD_COLLATERAL[tier], 0) + counts.get(NEW_COLLATERAL[tier], 0)
        amount = (NEW_COLLATERAL if new else OLD_COLLATERAL)[tier]
        wanted += [amount] * max(TARGETS[tier][new] - have, 0)
    random.shuffle(wanted)
    return wanted[:most]
