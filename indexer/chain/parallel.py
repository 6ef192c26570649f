"""What parallel chains earn from native blocks, and the official formula of all that circulates on all chains.

Amounts are zatoshi. The formula is one of height alone, as trackers are served it: no chain is asked. It leaves out
the swap pool and counts a whole launch at once. Source: insight-api ``StatisticService.getCirculatingSupplyAllChains``
and its copy with PoN, ``server.ts:calculateCirculatingSupplyAllChains`` of flux-indexer. Both know main net only and
no reduction of the PoN subsidy; here the network's own schedule takes the place of their numbers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from indexer.chain.params import COIN, Network, pon_active
from indexer.chain.subsidy import scheduled_issue, scheduled_subsidies

LAUNCH_FUND = 1_000_000 * COIN  # for developers and exchanges, at each launch
LAUNCH_SNAPSHOT = 1_231_378_594_991_485  # for whoever held coins at the snapshot, at each launch
FARTHEST = 1 << 40  # beyond this height, a million years of blocks, is never
SHARE = 10  # a parallel chain earns one part in so many of what is earned natively


@dataclass(frozen=True)
class ParallelRule:
    """From which native height on parallel chains earn, and after which heights each of them was launched."""

    mining_from: int
    launches: tuple[int, ...]

    def launched(self, height: int) -> int:
        """How many chains are launched at a native height: a launch counts from the block after its height."""
        return sum(height > launch for launch in self.launches)


def mining_share(rule: ParallelRule, height: int, payout: int) -> int:
    """What a payout of the block at ``height`` entitles to on each parallel chain, also one launched later."""
    return payout // SHARE if height >= rule.mining_from else 0


def all_chains_formula(network: Network, rule: ParallelRule, height: int) -> int | None:
    """The official count of what circulates on all chains after the block at ``height``; None before the first launch.

    Its PoW part ends with the block before. Where the official code counts parallel mining from the first halving on
    (below the second), this counts it from its beginning, as that code itself does above.
    """
    if height < rule.mining_from:
        return None
    launched = rule.launched(height)
    return _pow_part(network, rule, height) + launched * (LAUNCH_FUND + LAUNCH_SNAPSHOT) + _pon_part(
        network, launched, height
    )


def _pow_part(network: Network, rule: ParallelRule, height: int) -> int:
    """Native PoW coins without the swap pool, and what they earned on the chains that were launched meanwhile."""
    schedule = network.subsidy
    last = min(height, network.upgrades.pon - 1)
    slow_start = schedule.initial * schedule.slow_start_interval // 2  # the ramp's area: main's true sum is 0.03 less
    ramp_end = schedule.slow_start_interval - 1
    mined = _between(network, max(schedule.premine_height, ramp_end), last - 1)
    funds = network.funds
    funded = funds.exchange.amount + funds.foundation.amount if height >= network.upgrades.flux else 0
    # The official code counts the block before the first one that earns.
    earned = _between(network, rule.mining_from - 2, last - 1) * rule.launched(last) // SHARE
    return schedule.premine + slow_start + mined + funded + earned


def _pon_part(network: Network, launched: int, height: int) -> int:
    """PoN coins with their shares on so many chains: with ten, the official code's factor of two."""
    if not pon_active(network, height):
        return 0
    return _between(network, network.upgrades.pon - 1, height) * (SHARE + launched) // SHARE


def _between(network: Network, after: int, last: int) -> int:
    """The subsidies of ``after < height <= last``."""
    return scheduled_subsidies(network, last) - scheduled_subsidies(network, after) if last > after else 0


def parallel_earnings(network: Network, rule: ParallelRule, after: int, last: int) -> int:
    """What the blocks ``after < height <= last`` earn on the chains launched by ``last``, if all of it is claimed."""
    return _between(network, max(after, rule.mining_from - 1), last) * rule.launched(last) // SHARE


def growth_passing(network: Network, rule: ParallelRule, after: int, room: int) -> int | None:
    """The first height by which the blocks above ``after`` and what they earn on all chains exceed ``room`` zatoshi.

    ``room`` is at least 0; None when they never do.
    """
    issued = scheduled_issue(network, after)

    def growth(height: int) -> int:
        return scheduled_issue(network, height) - issued + parallel_earnings(network, rule, after, height)

    return _first_above(growth, room, after)


def formula_passing(network: Network, rule: ParallelRule, limit: int) -> int | None:
    """The first height whose ``all_chains_formula`` is above ``limit``; None when it never is."""
    return _first_above(lambda height: all_chains_formula(network, rule, height) or 0, limit, rule.mining_from - 1)


def _first_above(value: Callable[[int], int], limit: int, after: int) -> int | None:
    """The first height above ``after`` at which a value that never falls is above ``limit``; None when it never is."""
    step = 1
    while value(after + step) <= limit:
        step *= 2
        if step > FARTHEST:
            return None
    return bisect_right(range(after + step), limit, lo=after + 1, key=value)
