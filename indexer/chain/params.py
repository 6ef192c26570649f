"""What a network is: its parameters as frozen values. The networks themselves are in ``networks.py``.

Heights are blocks, amounts zatoshi, spacings seconds, addresses 21-byte keys (``indexer.chain.keys``).
Source: ``chainparams.cpp``, ``consensus/params.h``, ``consensus/upgrades.cpp``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

COIN = 10**8
MAX_MONEY = 440_000_000 * COIN  # amount.h: bounds single values and sums within a transaction, not the issue

DISABLED = -1  # an upgrade without an activation height (NO_ACTIVATION_HEIGHT)
BRANCH_ID = 0x76B809BB
BASE = "base"  # the era before the first upgrade


@dataclass(frozen=True)
class Upgrades:
    """Activation heights in the order of the daemon's enumeration; DISABLED for never."""

    lwma: int
    equihash_144_5: int
    acadia: int
    kamiooka: int
    kamata: int
    flux: int
    halving: int
    p2shnodes: int
    pon: int


@dataclass(frozen=True)
class Subsidy:
    """The schedule of new coins, amounts in zatoshi, intervals in blocks."""

    premine_height: int
    premine: int
    initial: int
    slow_start_interval: int
    halving_interval: int
    max_halvings: int
    pon_initial: int
    pon_reduction_interval: int
    pon_max_reductions: int


@dataclass(frozen=True)
class Fund:
    """One output that the coinbase of one height owes on top of the subsidy."""

    height: int
    amount: int
    address: bytes


@dataclass(frozen=True)
class SwapPool:
    """``times`` equal outputs, ``interval`` blocks apart, the first one at ``start``."""

    start: int
    interval: int
    times: int
    amount: int
    address: bytes


@dataclass(frozen=True)
class Funds:
    """The one-off outputs, and whom the rest of a PoN subsidy belongs to."""

    exchange: Fund
    foundation: Fund
    swap_pool: SwapPool
    dev_fund_address: bytes


@dataclass(frozen=True)
class NodeRules:
    """Heights and keys of node rules.

    A transition ``(from, until)`` accepts the old and the new collateral in ``from <= height < until``,
    only the old one before and only the new one after.
    """

    payments_from: int
    cumulus_transition: tuple[int, int]
    nimbus_transition: tuple[int, int]
    stratus_transition: tuple[int, int]
    foundation_key: bytes
    benchmark_keys: tuple[tuple[bytes, int], ...]  # key, valid from (Unix seconds)
    emergency_keys: tuple[bytes, ...]


@dataclass(frozen=True)
class Pon:
    """Parameters of proof of node: difficulty window in blocks, limits as compact targets."""

    window: int
    start_limit_bits: int
    limit_bits: int


@dataclass(frozen=True)
class Reorgs:
    """How deep the daemon reorganises: fewer than ``depth`` blocks, ``deep_depth`` in ``deep_from..deep_until``.

    Source: ``main.cpp:GetMaxReorgDepth``, ``ContextualCheckBlockHeader``.
    """

    depth: int = 40
    deep_depth: int = 5000
    deep_from: int = 2_020_000
    deep_until: int = 2_025_000  # the last tip height of the window


@dataclass(frozen=True)
class Network:
    """Everything in which one network differs from another."""

    name: str
    magic: bytes
    genesis_hash: str
    genesis_time: int
    pubkey_address_prefix: bytes
    script_address_prefix: bytes
    sprout_address_prefix: bytes
    sapling_hrp: str
    pow_limit_bits: int
    pow_target_spacing: int
    pon_target_spacing: int
    coinbase_maturity: int
    upgrades: Upgrades
    subsidy: Subsidy
    funds: Funds
    nodes: NodeRules
    pon: Pon
    reorgs: Reorgs = Reorgs()
    checkpoints: tuple[tuple[int, str], ...] = ()  # height, hash in display order

    def __hash__(self) -> int:
        return hash((self.name, self.genesis_hash))


def upgrade_active(activation: int, height: int) -> bool:
    """Whether an upgrade with this activation height is in force at ``height``.

    Source: ``consensus/upgrades.cpp:NetworkUpgradeState``.
    """
    return activation != DISABLED and height >= activation


def pon_active(network: Network, height: int) -> bool:
    """Whether the block at ``height`` is a PoN block.

    The daemon compares the height alone, so that a disabled activation height of -1 means PoN from
    height 1 on, as regtest ships. Source: ``pon/pon-fork.cpp:IsPONActive``.
    """
    return height > 0 and height >= network.upgrades.pon


def upgrade_at(network: Network, height: int) -> str:
    """The name of the latest upgrade in force at ``height``, a field name of Upgrades, or ``base``."""
    in_force = [u.name for u in fields(Upgrades) if upgrade_active(getattr(network.upgrades, u.name), height)]
    return in_force[-1] if in_force else BASE


def branch_id(network: Network, height: int) -> int:
    """The consensus branch that signatures of a transaction in the block at ``height`` commit to.

    All upgrades share one. Source: ``consensus/upgrades.cpp:NetworkUpgradeInfo``, ``CurrentEpochBranchId``.
    """
    return 0 if upgrade_at(network, height) == BASE else BRANCH_ID


def target_spacing(network: Network, height: int) -> int:
    """Seconds that the difficulty rule aims at between the block at ``height`` and its parent."""
    return network.pon_target_spacing if pon_active(network, height) else network.pow_target_spacing


def checkpoint(network: Network, height: int) -> str | None:
    """The hash, in display order, that the block at ``height`` must have, or None.

    Source: ``checkpoints.cpp:CheckBlock``; the genesis hash is one.
    """
    if height == 0:
        return network.genesis_hash
    return dict(network.checkpoints).get(height)


def max_reorg_depth(network: Network, tip: int) -> int:
    """D: a daemon whose best height is ``tip`` disconnects at most D - 1 blocks (``main.cpp:GetMaxReorgDepth``)."""
    rule = network.reorgs
    return rule.deep_depth if rule.deep_from <= tip <= rule.deep_until else rule.depth


UNDO_BLOCKS = 100


def undo_depth(network: Network, tip: int) -> int:
    """How many blocks below ``tip`` must stay undoable: at least 100, and what the daemon may reorganise."""
    return max(UNDO_BLOCKS, max_reorg_depth(network, tip))


# What no stored row depends on: a release that adds a checkpoint or a key must not refuse its own database.
UNSTORED = ("checkpoints", "reorgs", "nodes.benchmark_keys", "nodes.emergency_keys")


def _leaves(prefix: str, value: object) -> Iterator[tuple[str, str | int]]:
    if prefix in UNSTORED:
        return
    if isinstance(value, bytes):
        yield prefix, value.hex()
    elif isinstance(value, str | int):
        yield prefix, value
    elif isinstance(value, tuple):
        for i, item in enumerate(value):
            yield from _leaves(f"{prefix}.{i}", item)
    else:
        for part in fields(value):  # type: ignore[arg-type]
            yield from _leaves(f"{prefix}.{part.name}" if prefix else part.name, getattr(value, part.name))


def flatten(network: Network) -> dict[str, str | int]:
    """The parameters that indexed rows depend on, under dotted keys, bytes as hex.

    A database stores them and refuses to go on with others.
    """
    return dict(_leaves("", network))
