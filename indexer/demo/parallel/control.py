"""The demo daemon's own methods, which no real one has: coins are moved and minted, chains made to fail, when asked.

What they do on a parallel chain lasts until the daemon ends; what they send on the native chain is a transaction
like any other.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from random import Random
from typing import Any, Final

from indexer.chain.keys import hash_text
from indexer.chain.params import COIN
from indexer.demo.builder import Builder
from indexer.demo.parallel.bridge import Memo
from indexer.demo.parallel.chains import BY_KEY, EXCHANGE, TokenChain
from indexer.demo.parallel.ledger import NOBODY, Transfer
from indexer.demo.parallel.server import Availability, Conditions
from indexer.demo.rules import RpcError
from indexer.demo.serialize import Wire

BAD_PARAMETER, MISC_ERROR = -8, -1
NATIVE = "native"
STATES: Final[dict[str, Availability | None]] = {"up": "up", "down": "down", "late": "late", "scheduled": None}
PAYING = ("SWAP", "COLD", "LOCKED")  # Fusion's native wallets, in the order in which they are asked for a payment


class Controls:
    """The methods by name; the caller holds the daemon's lock while one of them works."""

    def __init__(self, builder: Builder, send: Callable[[Wire], bool], conditions: Conditions) -> None:
        self._builder, self._send, self._conditions = builder, send, conditions

    def methods(self) -> dict[str, Callable[..., Any]]:
        """What the daemon answers more than a real one."""
        return {"demo_move": self.move, "demo_mint": self.mint, "demo_chain": self.condition}

    def move(self, origin: str, target: str, amount: Any) -> str | None:
        """Move FLUX between ``native`` and a chain, or two chains; the txid of a native leg, which takes a block.

        From the treasury or the exchange of a chain to the same on the other side.
        """
        value = _zatoshi(amount)
        if value <= 0:
            raise RpcError(BAD_PARAMETER, "the amount is above 0")
        if origin == NATIVE:
            return self._sent(self._deposit(_chain(target), value))
        source = _chain(origin)
        if self._builder.chain.bridge.ledgers.balance(source.key, source.holder(EXCHANGE)) < value:
            raise RpcError(MISC_ERROR, f"the exchange of {origin} has less than that")
        if target == NATIVE:
            return self._sent(self._payment(source, value))
        self._builder.chain.bridge.move(source, self._able(target, value), value)
        return None

    def mint(self, key: str, amount: Any) -> str:
        """Mint FLUX on a chain that nothing backs, to its exchange; a negative amount goes. What is minted then."""
        chain, value, ledgers = _chain(key), _zatoshi(amount), self._builder.chain.bridge.ledgers
        if ledgers.balance(chain.key, chain.holder(EXCHANGE)) + value < 0:
            raise RpcError(MISC_ERROR, f"the exchange of {key} has less than that")
        ledgers.impose(Transfer(chain.key, NOBODY, chain.holder(EXCHANGE), value))
        return f"{Decimal(ledgers.supply(chain.key)) / COIN:.8f}"

    def condition(self, key: str, state: str) -> str:
        """Make a chain ``up``, ``down`` or ``late``, or leave it to the clock again (``scheduled``); how it is now."""
        chain = _chain(key)
        if state not in STATES:
            raise RpcError(BAD_PARAMETER, f"the state is one of {', '.join(STATES)}")
        self._conditions.tell(chain.key, STATES[state])
        return self._conditions.of(chain.key)

    def _deposit(self, chain: TokenChain, value: int) -> Wire | None:
        memo = Memo(self._able(chain.key, value), chain.holder(EXCHANGE))
        return self._builder.fusion.deposit(memo, self._builder.wallets.treasury, value, self._random())

    def _payment(self, chain: TokenChain, value: int) -> Wire | None:
        memo, treasury = Memo(chain, chain.holder(EXCHANGE)), self._builder.wallets.treasury
        pay_out = self._builder.fusion.pay_out
        wires = (pay_out(memo, treasury, value, self._random(), wallet) for wallet in PAYING)
        return next(filter(None, wires), None)

    def _able(self, key: str, value: int) -> TokenChain:
        chain, bridge = _chain(key), self._builder.chain.bridge
        if chain not in bridge.launched(self._builder.chain.height) or not bridge.can_free(chain, value):
            raise RpcError(MISC_ERROR, f"the issuer cannot free that on {key}")
        return chain

    def _random(self) -> Random:
        return self._builder.random("control", len(self._builder.mempool.entries))

    def _sent(self, wire: Wire | None) -> str:
        if wire is None or not self._send(wire):
            raise RpcError(MISC_ERROR, "nobody has the coins for it on the native chain")
        return hash_text(wire.txid)


def _chain(key: str) -> TokenChain:
    if key not in BY_KEY:
        raise RpcError(BAD_PARAMETER, f"the chain is one of {', '.join(BY_KEY)}")
    return BY_KEY[key]


def _zatoshi(amount: Any) -> int:
    try:
        return int(Decimal(str(amount)) * COIN)
    except InvalidOperation:
        raise RpcError(BAD_PARAMETER, f"{amount!r} is no amount") from None
