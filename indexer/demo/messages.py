"""The STARTs and CONFIRMs that the actors send, in the forms of their time."""

from __future__ import annotations

from random import Random

from indexer.chain.nodes import Node
from indexer.chain.params import Network, upgrade_active
from indexer.chain.queue import INITIAL, UPDATE
from indexer.chain.tiers import TIERS
from indexer.demo import serialize
from indexer.demo.blocks import compact_signature
from indexer.demo.serialize import HAS_DELEGATES, P2SH_NODE, Wire
from indexer.demo.wallet import Owner, compressed_key, uncompressed_key
from indexer.parse.columns import DELEGATES_SIGNING, DELEGATES_UPDATE, Delegates, NodeConfirm, NodeStart

NORMAL_NODE = 1
PORTS = (16127, 16137, 16147, 16157, 16167, 16177, 16187, 16197)
MOST_DELEGATES = 4


def node_address(network: Network, height: int, random: Random) -> bytes:
    """An ip from the blocks set aside for documentation and benchmarks, with a port from the Flux era on."""
    kind = random.random()
    if kind < 0.06:
        return f"2001:db8:{random.randrange(1 << 16):x}:{random.randrange(1 << 16):x}::{random.randint(1, 99)}".encode()
    ip = f"198.{random.randint(18, 19)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
    if upgrade_active(network.upgrades.flux, height) and kind < 0.8:
        ip += f":{random.choice(PORTS)}"
    return ip.encode()


def start_message(
    network: Network, height: int, time: int, point: bytes, owner: Owner, former: Node | None, random: Random
) -> Wire:
    """A START of the form that block ``height`` takes for this owner; ``time`` in Unix seconds."""
    late = upgrade_active(network.upgrades.p2shnodes, height)
    delegates = _delegates(point, former, random) if upgrade_active(network.upgrades.pon, height) else None
    p2sh = bool(owner.redeem_script) and late
    upgraded = p2sh or delegates is not None or (late and random.random() < 0.5)
    flags = (P2SH_NODE if p2sh else NORMAL_NODE) | (HAS_DELEGATES if delegates else 0) if upgraded else 0
    return serialize.start(
        NodeStart(
            index=0,
            version=6 if upgraded else 5,
            flux_version=flags,
            outpoint=point,
            collateral_pubkey=b"" if p2sh else network.nodes.foundation_key if owner.redeem_script else owner.pubkey,
            pubkey=uncompressed_key("node", point.hex(), former.lives if former else 0),
            redeem_script=owner.redeem_script if p2sh else b"",
            sig_time=time - random.randint(1, 60),
            sig=compact_signature(random),
            delegates=delegates,
        )
    )


def _delegates(point: bytes, former: Node | None, random: Random) -> Delegates | None:
    """A delegates section, now and then: new keys, none any more, or a signature by one of those stored."""
    kind = random.random()
    if former is not None and former.delegates and kind < 0.6:
        return Delegates(True, 1, DELEGATES_SIGNING, ())
    if kind < 0.75:
        return None
    count = random.randint(0 if former and former.delegates else 1, MOST_DELEGATES)
    keys = tuple(compressed_key("delegate", point.hex(), random.random(), n) for n in range(count))
    return Delegates(True, 1, DELEGATES_UPDATE, keys)


def confirm_message(
    network: Network, height: int, time: int, node: Node, random: Random, *, update: bool, moved: bool
) -> Wire:
    """A CONFIRM of a started or confirmed node; ``moved`` gives it another ip."""
    ip = node.ip if node.ip and not moved else node_address(network, height, random)
    tier = min(node.tier + (random.random() < 0.05), max(TIERS))
    signed = time - random.randint(1, 60)
    benchmarked, kind = signed - random.randint(1, 900), UPDATE if update else INITIAL
    message = NodeConfirm(node.outpoint, signed, benchmarked, tier, kind, ip)
    version = 6 if upgrade_active(network.upgrades.p2shnodes, height) and random.random() < 0.05 else 5
    return serialize.confirm(message, version, compact_signature(random), compact_signature(random))
