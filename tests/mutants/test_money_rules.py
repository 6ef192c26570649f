"""Every rule about coinbases, supply and addresses, changed: the recorded chain notices, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from indexer.chain import payouts, subsidy
from indexer.chain.address import decode_address
from indexer.chain.keys import NO_ADDRESS
from indexer.chain.params import COIN, Network
from indexer.chain.payouts import DEV_FUND, MINER, NODE_PAYOUT, OTHER, CoinbaseJudgement, coinbase_limit
from indexer.parse import parse_block, scripts
from indexer.parse.columns import EXACT_P2SH, P2PK, PUSHDATA_P2PKH, ParsedBlock
from indexer.state import transfers
from indexer.state.transfers import BlockTransfers, Coins
from tests import recorded
from tests.chain.recorded_coinbases import RecordedCoinbase, coinbases
from tests.mutants.harness import Mutant, assert_caught, missing

Patch = pytest.MonkeyPatch
Change = Callable[[Patch], None]
NETWORK = recorded.network()


def setting(owner: Any, name: str, value: object) -> Change:
    """A name of a module or class with another value."""
    return lambda patch: patch.setattr(owner, name, value)


def on_network(changed: Network) -> Change:
    """The walks of this module on a network with other parameters."""
    return lambda patch: patch.setitem(globals(), "NETWORK", changed)


# Coinbases: the daemon accepted each of them, named the payees, and answered getblocksubsidy.


@cache
def daemon_subsidies() -> dict[int, int]:
    """getblocksubsidy by height, also far above the tip."""
    answers = dict(recorded.subsidies())
    for call in recorded.rpc_calls():
        if call["method"] == "getblocksubsidy" and call["params"] and call["response"]["result"]:
            answers[call["params"][0]] = int(call["response"]["result"]["miner"] * COIN)
    return answers


def _breaks_a_rule(coinbase: RecordedCoinbase, judged: CoinbaseJudgement) -> bool:
    by_code: Counter[int] = Counter()
    for output, code in zip(coinbase.outputs, judged.funds, strict=True):
        by_code[code] += output.value
    return (
        bool(judged.missing)
        or not all(payout.matched for payout in judged.payouts)
        or by_code[NODE_PAYOUT] != sum(payout.amount for payout in judged.payouts)
        or (coinbase.height > 2 and judged.unclaimed < 0)
    )


def _dev_fund_takes_another_rest(coinbase: RecordedCoinbase, judged: CoinbaseJudgement) -> bool:
    """The reference miner gives the dev fund exactly the minimum and the fees."""
    if judged.unclaimed or OTHER in judged.funds or DEV_FUND not in judged.funds:
        return False
    tiers = [tier for tier, _ in coinbase.payees]
    paid = coinbase.outputs[judged.funds.index(DEV_FUND)].value
    return paid != payouts.dev_fund_minimum(NETWORK, coinbase.height, tiers) + coinbase.fees


def coinbase_contradiction() -> int | None:
    """The first height at which the money rules disagree with a coinbase or with getblocksubsidy."""
    answers = daemon_subsidies()
    for coinbase in coinbases():
        height = coinbase.height
        judged = payouts.judge_coinbase(NETWORK, height, coinbase.outputs, coinbase.payees, coinbase.fees)
        if _breaks_a_rule(coinbase, judged) or _dev_fund_takes_another_rest(coinbase, judged):
            return height
        if height and subsidy.block_subsidy(NETWORK, height) != answers[height]:
            return height
    above = sorted(height for height in answers if height > recorded.TIP)
    return next((h for h in above if subsidy.block_subsidy(NETWORK, h) != answers[h]), None)


RULE, FUNDS = NETWORK.subsidy, NETWORK.funds
_payout, _minimum, _missing_funds = payouts.tier_payout, payouts.dev_fund_minimum, payouts._missing_funds
_take, _take_all = payouts._Matching.take, payouts._Matching.take_all
POW, PON = payouts.POW_SHARES, payouts.PON_SHARES


def shifted(name: str, by: int) -> Change:
    """A count of halvings or reductions as it is ``by`` blocks further on."""
    right: Callable[[Network, int], int] = getattr(subsidy, name)
    return setting(subsidy, name, lambda network, height: max(right(network, height + by), 0))


def linear(initial: int, reductions: int) -> int:
    return initial - initial * reductions // 10


def unreduced(network: Network, height: int, tier: int) -> int:
    first = network.upgrades.pon
    return _payout(network, min(height, first) if height >= first else height, tier)


def only_first(self: payouts._Matching, address: bytes, code: int) -> list[int]:
    """The dev fund as vout 0 and nowhere else."""
    head = payouts._Matching(self.outputs[:1])
    head.codes = {vout: held for vout, held in self.codes.items() if vout == 0}
    found = _take_all(head, address, code)
    self.codes.update(head.codes)
    return found


def in_place(self: payouts._Matching, address: bytes, amount: int, code: int) -> int | None:
    """The payouts as vout 1, 2, 3, in the order of the tiers."""
    if code != NODE_PAYOUT:
        return _take(self, address, amount, code)
    vout = 1 + len(self.codes)
    at = self.outputs[vout : vout + 1]
    if not at or (at[0].address, at[0].value) != (address, amount):
        return None
    self.codes[vout] = code
    return vout


def one_remainder(self: payouts._Matching, pon: bool) -> tuple[int, ...]:
    """The first output as the miner's or dev fund's, whatever else it satisfies."""
    codes = [self.codes.get(vout, OTHER) for vout in range(len(self.outputs))]
    return (DEV_FUND if pon else MINER, *codes[1:])


def rest_and_fees(
    network: Network, height: int, matching: payouts._Matching, payees: list[tuple[int, bytes]]
) -> list[str]:
    """The dev fund's outputs must add up to what is left and the fees."""
    names = _missing_funds(network, height, matching, payees)
    paid = sum(matching.outputs[vout].value for vout, code in matching.codes.items() if code == DEV_FUND)
    due = _minimum(network, height, [tier for tier, _ in payees]) + coinbases()[height].fees
    return [*names, "dev_fund"] if height >= network.upgrades.pon and paid != due else names


def swap_pool(later: int = 0, times: int = FUNDS.swap_pool.times) -> Change:
    """The recorded network with another swap pool."""
    pool = replace(FUNDS.swap_pool, start=FUNDS.swap_pool.start + later, times=times)
    return on_network(replace(NETWORK, funds=replace(FUNDS, swap_pool=pool)))


COINBASES = [
    Mutant(
        "coinbase: Nimbus and Stratus shares swapped",
        setting(payouts, "POW_SHARES", POW | {2: POW[3], 3: POW[2]}),
    ),
    Mutant(
        "coinbase: tier shares swapped only in PON (Cumulus/Nimbus)",
        setting(payouts, "PON_SHARES", PON | {1: PON[2], 2: PON[1]}),
    ),
    Mutant(
        "coinbase: doubled shares from FLUX + 1",
        setting(payouts, "upgrade_active", lambda activation, height: height > activation),
    ),
    Mutant("coinbase: PON shares not reduced", setting(payouts, "tier_payout", unreduced)),
    Mutant("coinbase: dev fund is always vout 0", setting(payouts._Matching, "take_all", only_first)),
    Mutant("coinbase: dev fund gets exactly the rest + fees", setting(payouts, "_missing_funds", rest_and_fees)),
    Mutant(
        "coinbase: dev fund minimum ignores empty tiers being added",
        setting(payouts, "dev_fund_minimum", lambda network, height, tiers: _minimum(network, height, (1, 2, 3))),
        1800,
        "a lower bound that is too low refuses nothing; the first PoN block has an empty tier and pays its share",
    ),
    Mutant("coinbase: node payments are vout 1..3 in tier order", setting(payouts._Matching, "take", in_place)),
    Mutant("coinbase: miner/dev output is the only other output", setting(payouts._Matching, "funds", one_remainder)),
    Mutant("subsidy: halving one block late", shifted("halvings", -1)),
    Mutant("subsidy: halving one block early", shifted("halvings", 1)),
    Mutant("subsidy: PON reduction one block late", shifted("pon_reductions", -1)),
    Mutant("subsidy: PON reduction one block early", shifted("pon_reductions", 1)),
    Mutant("subsidy: PON reduction linear instead of compound", setting(subsidy, "pon_subsidy", linear)),
    Mutant("subsidy: PON from 1801", on_network(replace(NETWORK, upgrades=replace(NETWORK.upgrades, pon=1801)))),
    Mutant("funds: swap pool one block late", swap_pool(later=1)),
    Mutant("funds: swap pool six times", swap_pool(times=6)),
    Mutant("funds: swap pool four times", swap_pool(times=4)),
    Mutant(
        "funds: exchange and foundation heights swapped",
        on_network(
            replace(
                NETWORK,
                funds=replace(
                    FUNDS,
                    exchange=replace(FUNDS.exchange, height=FUNDS.foundation.height),
                    foundation=replace(FUNDS.foundation, height=FUNDS.exchange.height),
                ),
            )
        ),
    ),
]


# Supply: gettxoutsetinfo and the value pools after every block.


@cache
def parsed() -> list[ParsedBlock]:
    """The active chain by height, as columns."""
    return [parse_block(recorded.raw_by_hash()[entry["hash"]]) for entry in recorded.blocks()]


@cache
def daemon_supply() -> list[tuple[int, int, int, int]]:
    """Sum and number of unspent outputs, Sprout and Sapling pool, by height."""
    rows = []
    for entry in recorded.blocks():
        utxos = recorded.states()[entry["hash"]]["txoutset"]
        sprout, sapling = (pool["chainValueZat"] for pool in entry["block"]["valuePools"])
        rows.append((int(utxos["total_amount"] * COIN), utxos["txouts"], sprout, sapling))
    return rows


def supply_contradiction() -> int | None:
    """The first height at which coins, pools or the sum of all that was issued disagree with the daemon."""
    coins, issued, unspendable = Coins({}), 0, 0
    sums = (0, 0, 0, 0)
    for height, block in enumerate(parsed()):
        moved = BlockTransfers(height)
        moved.add(block, coins)
        steps = (moved.transparent, moved.txouts, moved.sprout, moved.sapling)
        sums = tuple(map(sum, zip(sums, steps, strict=True)))  # type: ignore[assignment]
        issued += moved.coinbase_value - moved.fee_sum
        unspendable += moved.unspendable
        if sums != daemon_supply()[height] or issued != sums[0] + sums[2] + sums[3] + unspendable:
            return height
    return None


_add = BlockTransfers.add


def then(change: Callable[[BlockTransfers], None]) -> Change:
    """The movements of a block, falsified after they were summed."""

    def add(self: BlockTransfers, block: ParsedBlock, coins: Coins) -> None:
        _add(self, block, coins)
        change(self)

    return setting(BlockTransfers, "add", add)


def with_genesis(self: BlockTransfers, block: ParsedBlock, coins: Coins) -> None:
    genesis, self.height = self.height == 0, self.height or 1
    _add(self, block, coins)
    self.height = 0 if genesis else self.height


def whole_reward(moved: BlockTransfers) -> None:
    if moved.height > 2:
        moved.coinbase_value = coinbase_limit(NETWORK, moved.height, moved.fee_sum)


def fees_are_new(moved: BlockTransfers) -> None:
    moved.fee_sum = 0


def sapling_reversed(moved: BlockTransfers) -> None:
    moved.sapling = -moved.sapling


def sprout_reversed(moved: BlockTransfers) -> None:
    moved.sprout = -moved.sprout


SUPPLY = [
    Mutant("supply: every block claims its whole reward", then(whole_reward)),
    Mutant("supply: fees counted as new coins", then(fees_are_new)),
    Mutant("supply: OP_RETURN value stays in the set", setting(transfers, "unspendable", lambda script: False)),
    Mutant(
        "supply: genesis output spendable",
        setting(BlockTransfers, "add", with_genesis),
        0,
        "the recording begins to compare at height 1, this walk at genesis",
    ),
    Mutant("supply: sapling value balance with the other sign", then(sapling_reversed)),
    Mutant("supply: sprout pool with the other sign", then(sprout_reversed)),
]


# Addresses: those in the daemon's JSON, and the movements in its address index.

INDEXED_FORMS = set(range(EXACT_P2SH + 1))  # the index knows only the exact 25- and 23-byte scripts
INDEXED_WHEN_SPENT = INDEXED_FORMS

Movement = tuple[bytes, int]  # address key, zatoshi received or, negative, sent


@cache
def daemon_movements() -> dict[int, Counter[Movement]]:
    """The movements in the daemon's address index, by height."""
    heights: dict[int, Counter[Movement]] = {}
    for entry in recorded.addresses():
        key = decode_address(entry["address"], NETWORK)
        for delta in entry["deltas"]:
            heights.setdefault(delta["height"], Counter())[key, delta["satoshis"]] += 1
    return heights


def _shown(script: dict[str, Any]) -> bytes:
    """The one address of an output in the daemon's JSON; multisig shows several, which are nobody's."""
    single = script["type"] in ("pubkeyhash", "scripthash", "pubkey") and "addresses" in script
    return decode_address(script["addresses"][0], NETWORK) if single else NO_ADDRESS


def address_contradiction() -> int | None:
    """The first height at which an output's address or the index's movements disagree with the daemon."""
    paid: dict[tuple[str, int], tuple[int, bytes, int]] = {}
    for height, entry in enumerate(recorded.blocks()):
        moved: Counter[Movement] = Counter()
        for tx in entry["block"]["tx"]:
            for spent in (paid[vin["txid"], vin["vout"]] for vin in tx.get("vin", ()) if "txid" in vin):
                form, key, value = spent
                if form in INDEXED_WHEN_SPENT:
                    moved[key, -value] += 1
            for vout in tx.get("vout", ()):
                form, key = scripts.classify(bytes.fromhex(vout["scriptPubKey"]["hex"]))
                if key != _shown(vout["scriptPubKey"]):
                    return height
                paid[tx["txid"], vout["n"]] = form, key, vout["valueZat"]
                if height and form in INDEXED_FORMS:  # the genesis output is never credited
                    moved[key, vout["valueZat"]] += 1
        if moved != daemon_movements().get(height, Counter()):
            return height
    return None


def indexing(*forms: int, made: bool = True) -> Change:
    """The index with further forms, when they are made and spent, or only when they are spent."""

    def change(patch: Patch) -> None:
        patch.setitem(globals(), "INDEXED_WHEN_SPENT", INDEXED_FORMS | set(forms))
        if made:
            patch.setitem(globals(), "INDEXED_FORMS", INDEXED_FORMS | set(forms))

    return change


_classify = scripts.classify


def addressless(form: int) -> Change:
    """Outputs of a form without their address."""

    def classify(script: bytes) -> tuple[int, bytes]:
        found, key = _classify(script)
        return found, NO_ADDRESS if found == form else key

    return setting(scripts, "classify", classify)


ADDRESSES = [
    Mutant("addresses: P2PK counted in the index ledger", indexing(P2PK)),
    Mutant("addresses: P2PK counted only when spent", indexing(P2PK, made=False)),
    Mutant("addresses: PUSHDATA P2PKH counted in the index ledger", indexing(PUSHDATA_P2PKH)),
    Mutant(
        "addresses: P2PK without an address in JSON",
        addressless(P2PK),
        0,
        "the genesis output is P2PK, and the daemon's JSON shows its address",
    ),
    Mutant("addresses: PUSHDATA P2PKH without an address in JSON", addressless(PUSHDATA_P2PKH)),
]


@pytest.mark.parametrize("walk", [coinbase_contradiction, supply_contradiction, address_contradiction])
def test_the_rules_as_they_stand_agree_with_the_daemon(walk: Callable[[], int | None]) -> None:
    assert walk() is None


@pytest.mark.parametrize("mutant", COINBASES, ids=str)
def test_changed_coinbase_rule_is_contradicted(mutant: Mutant) -> None:
    assert_caught(mutant, coinbase_contradiction)


@pytest.mark.parametrize("mutant", SUPPLY, ids=str)
def test_changed_supply_rule_is_contradicted(mutant: Mutant) -> None:
    assert_caught(mutant, supply_contradiction)


@pytest.mark.parametrize("mutant", ADDRESSES, ids=str)
def test_changed_address_rule_is_contradicted(mutant: Mutant) -> None:
    assert_caught(mutant, address_contradiction)


def test_every_row_about_money_has_a_mutant() -> None:
    subjects = ("coinbase", "supply", "subsidy", "funds", "addresses")
    assert not missing([*COINBASES, *SUPPLY, *ADDRESSES], subjects)
