"""What the simulated daemon refuses: transactions judged by our own rules, with the daemon's codes and reasons.

Signatures and proofs are not looked at. Source: ``main.cpp:AcceptToMemoryPool, ContextualCheckTransaction``,
``rpc/rawtransaction.cpp:sendrawtransaction``.
"""

from __future__ import annotations

from indexer.chain import tiers
from indexer.chain.keys import outkey_height
from indexer.chain.nodes import Status, deep_enough
from indexer.chain.params import Network, upgrade_active
from indexer.chain.queue import UPDATE
from indexer.chain.tiers import Tier
from indexer.demo.chain import DemoChain
from indexer.demo.serialize import SAPLING_VERSION
from indexer.parse.columns import OVERWINTERED, ParsedTransaction

DECODE_FAILED, MISSING_INPUTS, REJECTED, ALREADY_IN_CHAIN = -22, -25, -26, -27
EXPIRING_SOON = 3  # blocks
IP_CHANGE_AFTER = 5  # blocks (fluxnode.cpp:CheckConfirmationHeights)


class RpcError(Exception):
    """An error reply of the daemon: code and message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code, self.message = code, message


def rejected(reason: str, reject_code: int = 16) -> RpcError:
    """A transaction refused for a reason in the daemon's words."""
    return RpcError(REJECTED, f"{reject_code}: {reason}")


def check_layout(network: Network, tx: ParsedTransaction, height: int) -> None:
    """Raise RpcError when an ordinary transaction has a form that block ``height`` does not take."""
    if not tx.prevouts and not tx.joinsplits and not tx.shielded_spends:
        raise rejected("bad-txns-vin-empty")
    if len({tx.prevouts[at : at + 36] for at in range(0, len(tx.prevouts), 36)}) * 36 != len(tx.prevouts):
        raise rejected("bad-txns-inputs-duplicate")
    if upgrade_active(network.upgrades.acadia, height) and tx.header != SAPLING_VERSION | OVERWINTERED:
        raise rejected("tx-overwinter-flag-not-set")
    if not upgrade_active(network.upgrades.acadia, height) and tx.header & OVERWINTERED:
        raise rejected("tx-overwinter-not-active")
    closed = upgrade_active(network.upgrades.flux, height) and tx.prevouts
    if closed and (tx.joinsplits or tx.shielded_outputs):
        raise rejected("bad-txns-shielding-is-closed")
    if tx.expiry_height and tx.expiry_height < height + EXPIRING_SOON:
        raise rejected("tx-expiring-soon", 64)


def check_node(chain: DemoChain, tx: ParsedTransaction, height: int) -> None:
    """Raise RpcError when block ``height``, the next one, cannot hold this START or CONFIRM."""
    network = chain.network
    if not upgrade_active(network.upgrades.kamata, height):
        raise rejected("bad-txns-fluxnode-not-active")
    reason = _start_refusal(chain, tx, height) if tx.start else _confirm_refusal(chain, tx, height)
    if reason:
        raise rejected(reason)


def _collateral_refusal(chain: DemoChain, outpoint: bytes, height: int) -> str:
    coin = chain.coins.get(outpoint)
    if coin is None:
        return "bad-txns-fluxnode-collateral-spent"
    if not deep_enough(height, outkey_height(coin.outkey)):
        return "bad-txns-fluxnode-collateral-immature"
    accepted = tiers.collateral_acceptable(chain.network, coin.value, height)
    return "" if accepted else "bad-txns-fluxnode-collateral-amount"


def _start_refusal(chain: DemoChain, tx: ParsedTransaction, height: int) -> str:
    assert tx.start is not None
    if chain.queue.get(tx.start.outpoint) is not None:
        return "bad-txns-fluxnode-already-started"
    if tx.start.version == 6 and not upgrade_active(chain.network.upgrades.p2shnodes, height):
        return "bad-txns-fluxnode-version"
    return _collateral_refusal(chain, tx.start.outpoint, height)


def _confirm_refusal(chain: DemoChain, tx: ParsedTransaction, height: int) -> str:
    assert tx.confirm is not None
    confirm, node = tx.confirm, chain.queue.get(tx.confirm.outpoint)
    expected = Status.CONFIRMED if confirm.update == UPDATE else Status.STARTED
    if node is None or node.status != expected:
        return "bad-txns-fluxnode-not-in-list"
    if not node.tier <= confirm.tier <= max(Tier):
        return "bad-txns-fluxnode-benchmark-tier"
    if confirm.update == UPDATE and not may_update(chain.network, node.last_confirmed, confirm.ip != node.ip, height):
        return "bad-txns-fluxnode-update-too-soon"
    return _collateral_refusal(chain, confirm.outpoint, height)


def may_update(network: Network, last_confirmed: int, moved: bool, height: int) -> bool:
    """Whether a confirmed node may confirm again in block ``height`` (``fluxnode.cpp:CheckConfirmationHeights``)."""
    distance = height - last_confirmed
    if moved and upgrade_active(network.upgrades.flux, height) and distance >= IP_CHANGE_AFTER:
        return True
    return distance > tiers.windows(network, height).update_after
