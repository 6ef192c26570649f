"""Who gets what of a coinbase: tier payouts by height, and the judgement of a coinbase's outputs.

Amounts are zatoshi; tiers are 1 Cumulus, 2 Nimbus, 3 Stratus; addresses are 21-byte keys. An output counts
for a rule by its exact script and amount, never by its position: pools reorder and split.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from indexer.chain.params import Network, pon_active, target_spacing, upgrade_active
from indexer.chain.queue import pays_nodes
from indexer.chain.subsidy import block_subsidy, one_off_funds, subsidy_breaks
from indexer.chain.tiers import TIERS

# Shares of the subsidy as numerator and denominator: 3.75 %, 6.25 %, 15 %; of a PoN subsidy 1, 3.5 and 9 of 14.
POW_SHARES = {1: (3, 80), 2: (5, 80), 3: (12, 80)}
PON_SHARES = {1: (2, 28), 2: (7, 28), 3: (18, 28)}
FLUX_FACTOR = 2  # the PoW shares double with the Flux upgrade

NODE_PAYOUT, DEV_FUND, EXCHANGE, FOUNDATION, SWAP_POOL, MINER, OTHER = range(7)
FUND_NAMES = ("node_payout", "dev_fund", "exchange", "foundation", "swap_pool", "miner", "other")


@dataclass(frozen=True, slots=True)
class CoinbaseOutput:
    """An output of a coinbase: zatoshi, address key, and whether its script is the exact 25- or 23-byte form."""

    value: int
    address: bytes
    exact: bool


@dataclass(frozen=True, slots=True)
class Payout:
    """What the queue predicts for a tier, and the output that satisfies it (None: the coinbase has none)."""

    tier: int
    payee: bytes
    amount: int
    vout: int | None

    @property
    def matched(self) -> bool:
        """Whether the coinbase pays the predicted payee."""
        return self.vout is not None


@dataclass(frozen=True, slots=True)
class CoinbaseJudgement:
    """A coinbase judged: one Payout per predicted payee, one code of FUND_NAMES per output in ``funds``.

    ``checked`` is false where nodes are not paid yet, ``claimed`` is the sum of the outputs, ``allowed`` what
    they may add up to, ``missing`` the names of funds that the rules demand and no output pays.
    """

    checked: bool
    payouts: tuple[Payout, ...]
    funds: tuple[int, ...]
    claimed: int
    allowed: int
    missing: tuple[str, ...]

    @property
    def unclaimed(self) -> int:
        """Zatoshi that the coinbase could have claimed and did not; negative where no bound holds (height 1, 2)."""
        return self.allowed - self.claimed


def tier_payout(network: Network, height: int, tier: int) -> int:
    """What the coinbase at ``height`` pays to the payee of ``tier``; fees are never part of it.

    Source: ``main.cpp:GetFluxnodeSubsidy``. The daemon computes with doubles; on main net every result is
    exact, so that rounding down here is the same.
    """
    subsidy = block_subsidy(network, height)
    if pon_active(network, height):
        numerator, denominator = PON_SHARES[tier]
        return subsidy * numerator // denominator
    numerator, denominator = POW_SHARES[tier]
    factor = FLUX_FACTOR if upgrade_active(network.upgrades.flux, height) else 1
    return subsidy * numerator * factor // denominator


def tier_payouts(network: Network, height: int) -> tuple[int, ...]:
    """What the coinbase at ``height`` pays to the payees of Cumulus, Nimbus and Stratus."""
    return tuple(tier_payout(network, height, tier) for tier in TIERS)


def payouts_ahead(network: Network, tier: int, first: int, seconds: int) -> int:
    """What the blocks from height ``first`` on pay to a tier in so many seconds at the target spacing, zatoshi.

    Every reduction of the subsidy on the way counts from its own height on; a block that is not complete does not.
    """
    turns = {*subsidy_breaks(network), network.upgrades.flux, network.nodes.payments_from, first + seconds}
    heights = [first, *sorted(height for height in turns if height > first)]
    total = 0
    for begin, end in pairwise(heights):
        spacing = target_spacing(network, begin)
        blocks = min(end - begin, seconds // spacing)
        total += _payouts_between(network, tier, begin, begin + blocks)
        seconds -= blocks * spacing
        if seconds < spacing:
            break
    return total


def _payouts_between(network: Network, tier: int, begin: int, end: int) -> int:
    """The payouts of ``begin <= height < end``, in which no other terms begin."""
    if end <= begin or not pays_nodes(network, begin):
        return 0
    amount = tier_payout(network, begin, tier)
    if tier_payout(network, end - 1, tier) == amount:
        return amount * (end - begin)
    return sum(tier_payout(network, height, tier) for height in range(begin, end))  # the slow start


def dev_fund_minimum(network: Network, height: int, paid_tiers: Iterable[int]) -> int:
    """What the dev fund's output must have at least: the subsidy without the payouts of tiers that have a payee.

    Source: ``main.cpp:GetMinDevFundAmount``; PoN heights only.
    """
    return block_subsidy(network, height) - sum(tier_payout(network, height, tier) for tier in paid_tiers)


def coinbase_limit(network: Network, height: int, fees: int) -> int:
    """The most that the outputs of a coinbase may add up to; checked above height 2 (``main.cpp:ConnectBlock``)."""
    return block_subsidy(network, height) + fees + sum(fund.amount for fund in one_off_funds(network, height))


class _Matching:
    """The outputs of a coinbase and the codes given to them so far: each satisfies at most one rule."""

    def __init__(self, outputs: Sequence[CoinbaseOutput]) -> None:
        self.outputs = outputs
        self.codes: dict[int, int] = {}

    def take(self, address: bytes, amount: int, code: int) -> int | None:
        """Give ``code`` to the first output left that has this exact script and exactly this amount."""
        for vout, output in enumerate(self.outputs):
            if vout not in self.codes and output.exact and output.address == address and output.value == amount:
                self.codes[vout] = code
                return vout
        return None

    def take_all(self, address: bytes, code: int) -> list[int]:
        """Give ``code`` to every output left that has this exact script; returns their amounts."""
        found = {
            vout: output.value
            for vout, output in enumerate(self.outputs)
            if vout not in self.codes and output.exact and output.address == address
        }
        self.codes.update(dict.fromkeys(found, code))
        return list(found.values())

    def funds(self, pon: bool) -> tuple[int, ...]:
        """The code of every output; what is left in PoW is the miner's.

        A PoN producer is owed nothing, and an output without value is nobody's.
        """
        return tuple(
            self.codes.get(vout, OTHER if pon or not output.value else MINER)
            for vout, output in enumerate(self.outputs)
        )


def _missing_funds(
    network: Network, height: int, matching: _Matching, payees: Sequence[tuple[int, bytes]]
) -> list[str]:
    """Match one-off funds and the dev fund; returns the names of those that no output satisfies."""
    missing = [
        fund.name
        for fund in one_off_funds(network, height)
        if matching.take(fund.address, fund.amount, FUND_NAMES.index(fund.name)) is None
    ]
    if pon_active(network, height):
        minimum = dev_fund_minimum(network, height, [tier for tier, _ in payees])
        amounts = matching.take_all(network.funds.dev_fund_address, DEV_FUND)
        if max(amounts, default=-1) < minimum:
            missing.append("dev_fund")
    return missing


def judge_coinbase(
    network: Network, height: int, outputs: Sequence[CoinbaseOutput], payees: Sequence[tuple[int, bytes]], fees: int
) -> CoinbaseJudgement:
    """Match a coinbase's outputs to the payees that the queue predicts, and name every other output.

    ``payees`` are (tier, address key) of the tiers that have a node, empty where payments are not enforced.
    Each output satisfies at most one rule. Source: ``fluxnode.cpp:CheckFluxnodePayout``,
    ``main.cpp:ContextualCheckTransaction, ConnectBlock``.
    """
    matching = _Matching(outputs)
    due = [(tier, payee, tier_payout(network, height, tier)) for tier, payee in payees]
    payouts = tuple(Payout(*payout, matching.take(*payout[1:], NODE_PAYOUT)) for payout in due)
    missing = _missing_funds(network, height, matching, payees)
    return CoinbaseJudgement(
        checked=pays_nodes(network, height),
        payouts=payouts,
        funds=matching.funds(pon_active(network, height)),
        claimed=sum(output.value for output in outputs),
        allowed=coinbase_limit(network, height, fees),
        missing=tuple(missing),
    )
