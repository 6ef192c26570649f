"""When something will happen to a node if nothing else does: heights as functions of its record."""

from __future__ import annotations

from indexer.chain import tiers
from indexer.chain.nodes import Node, Status
from indexer.chain.params import Network


def next_update_height(network: Network, node: Node) -> int | None:
    """The first height at which a confirmed node may confirm again with its old ip; None for others."""
    if node.status != Status.CONFIRMED:
        return None
    return tiers.first_after(network, tiers.UPDATE_AFTER, node.last_confirmed + 1)


def expires_height(network: Network, node: Node) -> int | None:
    """The height at which a confirmed node expires, or a started one turns DoS; None for others."""
    if node.status == Status.CONFIRMED:
        return tiers.first_after(network, tiers.EXPIRY, node.last_confirmed + 1)
    if node.status == Status.STARTED:
        return tiers.first_after(network, tiers.START_WAIT, node.started)
    return None


def dos_until(network: Network, node: Node) -> int | None:
    """The height at which a DoS entry is released; None for others."""
    return tiers.first_after(network, tiers.DOS_RELEASE, node.started) if node.status == Status.DOS else None


def restart_from(network: Network, node: Node) -> int | None:
    """The first height at which a node that is out may start again; None while it is started or confirmed.

    None too when its collateral is spent, or was swept for its amount: no START can have it any more. A START is
    checked against the state before its block, so the height of leaving itself is too early.
    """
    if node.status == Status.DOS:
        return tiers.first_after(network, tiers.DOS_RELEASE, node.started) + 1
    return node.ended + 1 if node.status in (Status.EXPIRED, Status.RELEASED) else None


def start_list(network: Network, nodes: list[Node], tip: int) -> list[tuple[int, Node]]:
    """Started nodes with the blocks left until they turn DoS, soonest first (``rpc/fluxnode.cpp: getstartlist``)."""
    return _remaining(nodes, tip - tiers.windows(network, tip).start_wait)


def dos_list(network: Network, nodes: list[Node], tip: int) -> list[tuple[int, Node]]:
    """DoS entries with the blocks left until their release, soonest first (``rpc/fluxnode.cpp: getdoslist``)."""
    return _remaining(nodes, tip - tiers.windows(network, tip).dos_release)


def _remaining(nodes: list[Node], horizon: int) -> list[tuple[int, Node]]:
    """The daemon leaves out entries that are overdue by the constants of the tip."""
    left = [(node.started - horizon, node) for node in nodes if node.started >= horizon]
    return sorted(left, key=lambda entry: (entry[0], entry[1].outpoint))


def pays_by_height(tip: int, payments_from: int, rank: int) -> int:
    """The height by which a node of this rank is paid if it stays confirmed: nobody can get ahead of it."""
    return max(tip + 1, payments_from) + rank
