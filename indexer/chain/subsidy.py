"""New coins by height: the block subsidy, the one-off outputs, and what they add up to.

Amounts are zatoshi. Within a stretch of heights the subsidy is ``constant + slope * height``; the rule is
stated once as these terms, so that one block and a sum over millions come from the same lines.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import NamedTuple

from indexer.chain.params import Network, pon_active

PON_REDUCTION = (9, 10)  # each reduction leaves nine tenths of the subsidy before, rounded down


class DueFund(NamedTuple):
    """An output that a coinbase owes besides the subsidy: name, zatoshi, address key."""

    name: str
    amount: int
    address: bytes


def pon_reductions(network: Network, height: int) -> int:
    """How many reductions the PoN subsidy at ``height`` has behind it."""
    rule = network.subsidy
    return min((height - network.upgrades.pon) // rule.pon_reduction_interval, rule.pon_max_reductions)


@lru_cache(maxsize=1024)
def pon_subsidy(initial: int, reductions: int) -> int:
    """The PoN subsidy after ``reductions``: compounded, rounded down each time."""
    numerator, denominator = PON_REDUCTION
    return pon_subsidy(initial, reductions - 1) * numerator // denominator if reductions else initial


def halvings(network: Network, height: int) -> int:
    """How many times the PoW subsidy at ``height`` has been halved: counted from half the slow start, capped."""
    rule = network.subsidy
    return min((height - rule.slow_start_interval // 2) // rule.halving_interval, rule.max_halvings)


def _terms(network: Network, height: int) -> tuple[int, int]:
    """Constant and slope of the subsidy around ``height`` (``main.cpp:GetBlockSubsidy``)."""
    rule = network.subsidy
    if height == 0:  # the daemon never credits the genesis coinbase
        return 0, 0
    if pon_active(network, height):
        return pon_subsidy(rule.pon_initial, pon_reductions(network, height)), 0
    if height == rule.premine_height:
        return rule.premine, 0
    if height < rule.slow_start_interval // 2:
        return 0, rule.initial // rule.slow_start_interval
    if height < rule.slow_start_interval:  # one step is left out, as if there had been no slow start
        step = rule.initial // rule.slow_start_interval
        return step, step
    return rule.initial >> halvings(network, height), 0


def block_subsidy(network: Network, height: int) -> int:
    """The whole subsidy of the block at ``height``: node payments included, fees and one-off funds not.

    Source: ``main.cpp:GetBlockSubsidy``. Genesis has none: its coinbase is not credited on any network.
    """
    constant, slope = _terms(network, height)
    return constant + slope * height


def swap_pool_due(network: Network, height: int) -> bool:
    """Whether the coinbase at ``height`` owes the swap pool (``main.cpp:IsSwapPoolInterval``)."""
    pool = network.funds.swap_pool
    number, beside = divmod(height - pool.start, pool.interval)
    return beside == 0 and 0 <= number < pool.times


def one_off_funds(network: Network, height: int) -> tuple[DueFund, ...]:
    """The outputs that the coinbase at ``height`` owes on top of the subsidy.

    Source: ``main.cpp:GetExchangeFundAmount, GetFoundationFundAmount, IsSwapPoolInterval``.
    """
    funds = network.funds
    due = []
    if height == funds.exchange.height:
        due.append(DueFund("exchange", funds.exchange.amount, funds.exchange.address))
    if height == funds.foundation.height:
        due.append(DueFund("foundation", funds.foundation.amount, funds.foundation.address))
    if swap_pool_due(network, height):
        due.append(DueFund("swap_pool", funds.swap_pool.amount, funds.swap_pool.address))
    return tuple(due)


def issue_at(network: Network, height: int) -> int:
    """What the block at ``height`` may create: subsidy and one-off funds."""
    return block_subsidy(network, height) + sum(fund.amount for fund in one_off_funds(network, height))


def _breaks(network: Network) -> Iterator[int]:
    """Every height at which the terms of the subsidy may change."""
    rule, pon = network.subsidy, network.upgrades.pon
    slow = rule.slow_start_interval
    yield from (0, 1, rule.premine_height, rule.premine_height + 1, slow // 2, slow, pon)
    yield from (slow // 2 + i * rule.halving_interval for i in range(1, rule.max_halvings + 1))
    yield from (pon + i * rule.pon_reduction_interval for i in range(1, rule.pon_max_reductions + 1))


def subsidy_breaks(network: Network) -> tuple[int, ...]:
    """Every height at which the subsidy may begin to follow other terms, ascending."""
    return _stretches(network)[0]


def _sum(network: Network, begin: int, end: int) -> int:
    """The subsidies of ``begin <= height < end``, which must have the same terms: an arithmetic series."""
    constant, slope = _terms(network, begin)
    count = end - begin
    return constant * count + slope * (begin + end - 1) * count // 2


@lru_cache(maxsize=64)
def _stretches(network: Network) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Where each stretch of equal terms begins, and the subsidies before it."""
    starts = tuple(sorted({height for height in _breaks(network) if height >= 0}))
    sums = (_sum(network, begin, end) for begin, end in pairwise(starts))
    return starts, tuple(accumulate(sums, initial=0))


def _one_offs_until(network: Network, height: int) -> int:
    funds = network.funds
    pool = funds.swap_pool
    paid = min(max((height - pool.start) // pool.interval + 1, 0), pool.times)
    single = sum(fund.amount for fund in (funds.exchange, funds.foundation) if height >= fund.height)
    return single + paid * pool.amount


def scheduled_subsidies(network: Network, height: int) -> int:
    """The subsidies of all blocks up to and including ``height``, without the one-off funds."""
    if height < 0:
        return 0
    starts, before = _stretches(network)
    at = bisect_right(starts, height) - 1
    return before[at] + _sum(network, starts[at], height + 1)


def scheduled_issue(network: Network, height: int) -> int:
    """All that the blocks up to and including ``height`` may have created: the schedule, not what was claimed."""
    return scheduled_subsidies(network, height) + (_one_offs_until(network, height) if height >= 0 else 0)


def height_passing(network: Network, limit: int) -> int | None:
    """The first height whose ``scheduled_issue`` is above ``limit``; None when the schedule ends below it.

    With what was left unclaimed until now added to ``limit``, it is the height at which the real issue
    passes it, should every block to come claim all.
    """
    starts, _ = _stretches(network)
    last_break = max(*starts, *_last_one_offs(network))
    tail = block_subsidy(network, last_break + 1)
    missing = limit - scheduled_issue(network, last_break)
    if missing >= 0 and not tail:
        return None
    beyond = last_break + 1 + max(missing, 0) // max(tail, 1)
    return bisect_right(range(beyond + 1), limit, key=lambda height: scheduled_issue(network, height))


def _last_one_offs(network: Network) -> tuple[int, ...]:
    funds = network.funds
    pool = funds.swap_pool
    return funds.exchange.height, funds.foundation.height, pool.start + pool.interval * (pool.times - 1)
