"""Who gets what of a coinbase: tier payouts by height, and the judgement of a coinbase's outputs.

Amounts are zatoshi; tiers are 1 Cumulus, 2 Nimbus, 3 Stratus; addresses are 21-byte keys. An output counts
for a rule by its exact script and amount, never by its position: pools reorder and split.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from indexer.chain.params import Network, pon_active, upgrade_active
from indexer.chain.subsidy import block_subsidy, one_off_funds

TIERS = (1, 2, 3)

# Shares of the subsidy as numerator and denominator: 3.75 %, 6.25 %, 15 %; of a PoN subsidy 1, 3.5 and 9 of 14.
POW_SHARES = {1: (3, 80), 2: (5, 80), 3: (12, 80)}
PON_SHARES = {1: (2, 28), 2: (7, 28), 3: (18, 28)}
FLUX_FACTOR = 2  # the PoW shares double with the Flux upgrade

NODE_PAYOUT, DEV_FUND, EXCHANGE, FOUNDATION, SWAP_POOL, MINER, OTHER = range(7)
FUND_NAMES = ("node_payout", "dev_fund", "exchange", "foundation", "swap_pool", "miner", "other")


@dataclass(frozen=True, slots=True)
class Output:
    """A coinbase output: zatoshi, address key, and whether its script is the exact 25- or 23-byte form."""

    value: int
    address: bytes
    exact: bool


@dataclass(frozen=True, slots=True)
class Payout:
    """What the queue predicts for a tier, and the output that satisfies it (None: the coinbase has none)."""

    tier: int
    address: bytes
    amount: int
    vout: int | None

    @property
    def matched(self) -> bool:
        """Whether the coinbase pays the predicted payee."""
        return self.vout is not None


@dataclass(frozen=True, slots=True)
class Coinbase:
    """A coinbase judged: one Payout per predicted payee, one code of FUND_NAMES per output.

    ``claimed`` is the sum of the outputs, ``allowed`` what they may add up to, ``missing`` the names of
    funds that the rules demand and no output pays.
    """

    payouts: tuple[Payout, ...]
    codes: tuple[int, ...]
    claimed: int
    allowed: int
    missing: tuple[str, ...]

    @property
    def unclaimed(self) -> int:
        """Zatoshi that the coinbase could have claimed and did not; negative where no bound holds (height 1, 2)."""
        return self.allowed - self.claimed


def payments_enforced(network: Network, height: int) -> bool:
    """Whether the coinbase at ``height`` must pay nodes (``fluxnode.cpp:CheckFluxnodePayout``)."""
    return height >= network.nodes.payments_from


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


def dev_fund_minimum(network: Network, height: int, paid_tiers: Iterable[int]) -> int:
    """What the dev fund's output must have at least: the subsidy without the payouts of tiers that have a payee.

    Source: ``main.cpp:GetMinDevFundAmount``; PoN heights only.
    """
    return block_subsidy(network, height) - sum(tier_payout(network, height, tier) for tier in paid_tiers)


def coinbase_limit(network: Network, height: int, fees: int) -> int:
    """The most that the outputs of a coinbase may add up to; checked above height 2 (``main.cpp:ConnectBlock``)."""
    return block_subsidy(network, height) + fees + sum(fund.amount for fund in one_off_funds(network, height))


def _find(outputs: Sequence[Output], used: Collection[int], address: bytes, amount: int) -> int | None:
    """The first output, not used yet, with this exact script and exactly this amount."""
    for vout, output in enumerate(outputs):
        if vout not in used and output.exact and output.address == address and output.value == amount:
            return vout
    return None


def _judge_payouts(
    network: Network, height: int, outputs: Sequence[Output], payees: Sequence[tuple[int, bytes]], codes: dict[int, int]
) -> tuple[Payout, ...]:
    payouts = []
    for tier, address in payees:
        amount = tier_payout(network, height, tier)
        vout = _find(outputs, codes, address, amount)
        if vout is not None:
            codes[vout] = NODE_PAYOUT
        payouts.append(Payout(tier, address, amount, vout))
    return tuple(payouts)


def _judge_one_offs(network: Network, height: int, outputs: Sequence[Output], codes: dict[int, int]) -> list[str]:
    missing = []
    for fund in one_off_funds(network, height):
        vout = _find(outputs, codes, fund.address, fund.amount)
        if vout is None:
            missing.append(fund.name)
        else:
            codes[vout] = FUND_NAMES.index(fund.name)
    return missing


def _judge_dev_fund(network: Network, outputs: Sequence[Output], minimum: int, codes: dict[int, int]) -> list[str]:
    """Every output left that pays the dev fund is its own; one of them alone must reach the minimum."""
    to_fund = [
        vout
        for vout, output in enumerate(outputs)
        if vout not in codes and output.exact and output.address == network.funds.dev_fund_address
    ]
    codes.update(dict.fromkeys(to_fund, DEV_FUND))
    return [] if any(outputs[vout].value >= minimum for vout in to_fund) else ["dev_fund"]


def _remainder_code(output: Output, pon: bool) -> int:
    """A PoW remainder is the miner's; a PoN producer is owed nothing, and an empty output is nobody's."""
    return OTHER if pon or not output.value else MINER


def judge_coinbase(
    network: Network, height: int, outputs: Sequence[Output], payees: Sequence[tuple[int, bytes]], fees: int
) -> Coinbase:
    """Match a coinbase's outputs to the payees that the queue predicts, and name every other output.

    ``payees`` are (tier, address key) of the tiers that have a node, empty where payments are not enforced.
    Each output satisfies at most one rule. Source: ``fluxnode.cpp:CheckFluxnodePayout``,
    ``main.cpp:ContextualCheckTransaction, ConnectBlock``.
    """
    codes: dict[int, int] = {}
    payouts = _judge_payouts(network, height, outputs, payees, codes)
    missing = _judge_one_offs(network, height, outputs, codes)
    pon = pon_active(network, height)
    if pon:
        minimum = dev_fund_minimum(network, height, [tier for tier, _ in payees])
        missing += _judge_dev_fund(network, outputs, minimum, codes)
    return Coinbase(
        payouts=payouts,
        codes=tuple(codes.get(vout, _remainder_code(output, pon)) for vout, output in enumerate(outputs)),
        claimed=sum(output.value for output in outputs),
        allowed=coinbase_limit(network, height, fees),
        missing=tuple(missing),
    )
