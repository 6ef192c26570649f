"""The ten parallel chains of the demo network, in the order of their launch: the main net's, with other addresses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from indexer.chain.params import COIN, Network
from indexer.demo.parallel.addresses import FORMS, key_of

DECIMALS = 8
ROLES = ("SNAPSHOT", "MINING", "SWAP", "LOCKED", "LOCKED SNAPSHOT", "LOCKED MINING")
KADENA_NAMES = {"SNAPSHOT": "fluxsnapshotreward", "MINING": "fluxcoinbasereward", "SWAP": "fluxswap"}
KADENA_MODULE, ALGORAND_ASSET = "runonflux.flux", "1029804829"
HOLDERS = 24
EXCHANGE = 0
"""The number of the holder that is an exchange: it has the most, and whoever lacks coins buys them there."""

FULL = 440_000_000 * COIN
SNAPSHOT_BEFORE = 10  # native blocks from the snapshot of balances to the launch
MINED_BEFORE = 20  # native blocks from the first that parallel mining counts to the first launch


@dataclass(frozen=True, slots=True)
class TokenChain:
    """A chain and FLUX on it; ``launch`` is its place in the order of launches, from 0.

    ``first_block`` and ``pace`` give the chain's own block: the one at native block 0, and how many come with each
    native one. ``snapshot``: whether it was launched with a snapshot of native balances.
    """

    key: str
    name: str
    kind: str
    chain_id: int
    minted: int
    launch: int
    first_block: int
    pace: int
    lifecycle: str
    snapshot: bool

    @property
    def asset(self) -> str:
        """The name of the token."""
        return f"FLUX-{self.key.upper()}"

    def account(self, *label: object) -> str:
        """An account of the chain, drawn from a label."""
        return _account(self.kind, self.key, *label)

    @property
    def contract(self) -> str:
        """What the chain knows the token by."""
        if self.kind in ("kadena", "algorand"):
            return KADENA_MODULE if self.kind == "kadena" else ALGORAND_ASSET
        return key_of("demo", self.key, "token").hex() if self.kind == "ergo" else self.account("token")

    def issuer(self, role: str) -> str:
        """The issuer's account for a role."""
        if self.kind == "kadena" and role in KADENA_NAMES:
            return KADENA_NAMES[role]
        return self.account("issuer", role)

    def holder(self, number: int) -> str:
        """One of the accounts that are not the issuer's; EXCHANGE is the exchange."""
        return self.account("holder", number)

    def block(self, native_height: int) -> int:
        """The chain's own block while a native block is the tip."""
        return self.first_block + self.pace * native_height

    def native_height(self, block: int) -> int:
        """The native height that a block of the chain belongs to; negative before the native chain began."""
        return (block - self.first_block) // self.pace

    def launch_height(self, network: Network) -> int:
        """The native height of the launch: each payment to the swap pool launches one chain."""
        pool = network.funds.swap_pool
        return pool.start + self.launch * pool.interval


@cache
def _account(kind: str, *label: object) -> str:
    return FORMS[kind](key_of("demo", *label))


CHAINS = (
    TokenChain("kda", "Kadena", "kadena", 0, 3_999_882_080_974_744, 0, 4_000_000, 1, "retires", True),
    TokenChain("eth", "Ethereum", "evm", 1, FULL, 1, 12_600_000, 1, "survives", True),
    TokenChain("bsc", "BNB Smart Chain", "evm", 56, FULL, 2, 8_300_000, 4, "survives", True),
    TokenChain("trx", "Tron", "tron", 728_126_428, FULL, 3, 34_000_000, 2, "retires", True),
    TokenChain("sol", "Solana", "solana", 0, 5_999_999_037_500_000, 4, 101_000_000, 12, "retires", True),
    TokenChain("avax", "Avalanche C-Chain", "evm", 43_114, FULL, 5, 16_800_000, 3, "retires", True),
    TokenChain("erg", "Ergo", "ergo", 0, FULL, 6, 760_000, 1, "retires", True),
    TokenChain("algo", "Algorand", "algorand", 0, FULL, 7, 26_000_000, 2, "retires", False),
    TokenChain("matic", "Polygon PoS", "evm", 137, FULL, 8, 43_200_000, 3, "retires", False),
    TokenChain("base", "Base", "evm", 8_453, FULL, 9, 15_000_000, 3, "retires", False),
)
BY_KEY = {chain.key: chain for chain in CHAINS}
