"""Who has how much FLUX on the parallel chains, what takes the last native blocks back, and how it was before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from indexer.chain.params import COIN
from indexer.demo.parallel.chains import CHAINS, ROLES, TokenChain

NOBODY = ""
"""The sender of coins that are minted."""

ISSUED = {"SNAPSHOT": 40_000 * COIN, "MINING": 60_000 * COIN, "SWAP": 1_000_000 * COIN,
          "LOCKED SNAPSHOT": 1_500_000 * COIN, "LOCKED MINING": 3_000_000 * COIN}  # fmt: skip
"""What the issuer's accounts begin with, zatoshi; LOCKED has the rest."""

REFILL = 2_000_000 * COIN


class Transfer(NamedTuple):
    """FLUX that changes hands on a chain, zatoshi."""

    chain: str
    sender: str
    receiver: str
    amount: int


class Ledgers:
    """The balances on all chains after the tip; zatoshi."""

    def __init__(self) -> None:
        self._balances: dict[str, dict[str, int]] = {chain.key: _founding(chain) for chain in CHAINS}
        self._supply = {chain.key: chain.minted for chain in CHAINS}
        self._issuers = {chain.key: frozenset(map(chain.issuer, ROLES)) for chain in CHAINS}
        self._blocks: list[list[Transfer]] = []

    # -- questions

    def balance(self, chain: str, account: str, blocks_ago: int = 0) -> int:
        """What an account has, or had before the last native blocks."""
        return self._balances[chain].get(account, 0) - self._since(chain, account, blocks_ago)

    def supply(self, chain: str, blocks_ago: int = 0) -> int:
        """All that has been minted."""
        return self._supply[chain] + self._since(chain, NOBODY, blocks_ago)

    def balances(self, chain: str) -> dict[str, int]:
        """All accounts that ever had something."""
        return dict(self._balances[chain])

    def outstanding(self, chain: str) -> int:
        """What the issuer does not hold."""
        held = sum(self._balances[chain][account] for account in self._issuers[chain])
        return self._supply[chain] - held

    def total_outstanding(self) -> int:
        """The same on all chains together."""
        return sum(map(self.outstanding, self._balances))

    def _since(self, chain: str, account: str, blocks: int) -> int:
        """What an account has gained in the last native blocks."""
        first = max(0, len(self._blocks) - blocks)
        late: Iterable[Transfer] = (t for block in self._blocks[first:] for t in block)
        return sum(
            t.amount * ((t.receiver == account) - (t.sender == account)) for t in late if t.chain == chain
        )

    # -- what happens

    def open_block(self) -> None:
        """A native block has come: transfers that are noted from now on are its."""
        self._blocks.append([])

    def undo_block(self) -> None:
        """The last native block has gone, and its transfers with it."""
        for transfer in reversed(self._blocks.pop()):
            self._apply(transfer._replace(amount=-transfer.amount))

    def note(self, transfer: Transfer) -> None:
        """A transfer of the last native block."""
        self._apply(transfer)
        self._blocks[-1].append(transfer)

    def impose(self, transfer: Transfer) -> None:
        """A transfer of no block: nothing takes it back, and no restart knows it."""
        self._apply(transfer)

    def _apply(self, transfer: Transfer) -> None:
        balances = self._balances[transfer.chain]
        if transfer.sender == NOBODY:
            self._supply[transfer.chain] += transfer.amount
        else:
            balances[transfer.sender] = balances.get(transfer.sender, 0) - transfer.amount
        balances[transfer.receiver] = balances.get(transfer.receiver, 0) + transfer.amount


def _founding(chain: TokenChain) -> dict[str, int]:
    amounts = ISSUED | {"LOCKED": chain.minted - sum(ISSUED.values())}
    return {chain.issuer(role): amounts[role] for role in ROLES}
