"""What the parallel chains of a demo chain must add up to."""

from __future__ import annotations

from indexer.demo.chain import DemoChain
from indexer.demo.parallel.chains import CHAINS
from indexer.demo.wallet import FUSION_WALLETS


def held_by_fusion(chain: DemoChain) -> int:
    """What Fusion's wallets have on the native chain, zatoshi."""
    coins = (chain.coins_of.get(owner.address, {}).values() for owner in FUSION_WALLETS.values())
    return sum(coin.value for owned in coins for coin in owned)


def unbacked(chain: DemoChain) -> int:
    """What circulates on the parallel chains beyond what Fusion holds, zatoshi."""
    return chain.bridge.ledgers.total_outstanding() - held_by_fusion(chain)


def balances(chain: DemoChain) -> dict[str, tuple[int, dict[str, int]]]:
    """Supply and balances of all chains; accounts that are empty again left out."""
    ledgers = chain.bridge.ledgers
    return {
        c.key: (ledgers.supply(c.key), {a: units for a, units in ledgers.balances(c.key).items() if units})
        for c in CHAINS
    }
