"""Blocks of the demo network: the coinbase that the rules demand, the header, the choice of a producer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from indexer.chain.address import script_for
from indexer.chain.hashes import merkle_root
from indexer.chain.params import COIN, Network, pon_active, upgrade_active
from indexer.chain.payouts import tier_payout
from indexer.chain.pon import pon_hash, slot, target
from indexer.chain.queue import NodeQueue
from indexer.chain.subsidy import block_subsidy, one_off_funds
from indexer.chain.tiers import TIERS
from indexer.demo.serialize import (
    NULL_PREVOUT,
    Header,
    Input,
    Output,
    Transfer,
    Wire,
    block,
    pon_header,
    pow_header,
    script_number,
    transfer,
)

POW_VERSION, PON_VERSION = 4, 100
GENESIS_TEXT = b"Flux Explorer demo network: everything here is simulated"
EMPTY_SAPLING_ROOT = bytes(32)
SOLUTION_SIZES = (("kamiooka", 52), ("equihash_144_5", 100), ("base", 1344))  # ZelHash 125/4, Equihash 144/5, 200/9
LEAST_SIGNATURE, MOST_SIGNATURE = 70, 72  # bytes of a DER signature
WASTE = COIN // 100  # zatoshi that a careless pool leaves unclaimed


def genesis(network: Network) -> bytes:
    """The first block: the same on every demo chain, its output worth nothing."""
    script = script_number(0) + bytes([len(GENESIS_TEXT)]) + GENESIS_TEXT
    coinbase = transfer(Transfer([Input(NULL_PREVOUT, script)], [Output(0, b"\x6a")], version=1))
    header = Header(
        POW_VERSION,
        bytes(32),
        merkle_root([coinbase.txid]),
        EMPTY_SAPLING_ROOT,
        network.genesis_time,
        network.pow_limit_bits,
    )
    return block(pow_header(header, bytes(32), bytes(SOLUTION_SIZES[-1][1])), [coinbase.raw])


def coinbase(
    network: Network, height: int, queue: NodeQueue, fees: int, miner: bytes, random: Random, *, waste: int = 0
) -> Wire:
    """The coinbase of the block on top of the queue's state; ``miner`` is a script, ``waste`` zatoshi go unclaimed.

    In the order of the daemon's own miner: the rest first, to the miner or the dev fund, then the nodes, then
    one-off funds (``miner.cpp:CreateNewBlock``). A pool may have another order; one in eight blocks has.
    """
    payees = [Output(tier_payout(network, height, t), script_for(n.payee)) for t, n in queue.payees(height)]
    rest = block_subsidy(network, height) + fees - waste - sum(output.value for output in payees)
    pon = pon_active(network, height)
    outputs = [Output(rest, script_for(network.funds.dev_fund_address) if pon else miner), *payees]
    outputs += [Output(due.amount, script_for(due.address)) for due in one_off_funds(network, height)]
    if not pon and random.random() < 0.125:
        random.shuffle(outputs)
    tag = random.choice((b"demo", b"Flux Explorer demo", b"simulated"))
    script = script_number(height) + bytes([len(tag)]) + tag
    version = POW_VERSION if upgrade_active(network.upgrades.acadia, height) else 1
    return transfer(Transfer([Input(NULL_PREVOUT, script)], outputs, version=version))


def signature(random: Random) -> bytes:
    """Bytes in the form of a DER signature."""
    size = random.randint(LEAST_SIGNATURE, MOST_SIGNATURE)
    return bytes([0x30, size - 2]) + random.randbytes(size - 2)


def compact_signature(random: Random) -> bytes:
    """65 bytes in the form of a recoverable signature by a compressed key."""
    return bytes([random.randint(31, 34)]) + random.randbytes(64)


def producer(
    network: Network, queue: NodeQueue, prev_hash: bytes, bits: int, time: int, random: Random
) -> tuple[bytes, int]:
    """The collateral that produces on top of ``prev_hash``, and the block's time, ``time`` or later.

    Of the eligible nodes of a slot the one with the smallest hash is first; now and then it is asleep and the
    next one follows (``pon/pon-minter.cpp``). A slot without any is skipped.
    """
    points = [node.outpoint for tier in TIERS for node in queue.order(tier)]
    if not points:
        raise ValueError("no node is confirmed: nobody can produce a PoN block")
    limit = target(bits)
    while True:
        number = slot(network, time)
        hashes = [(pon_hash(point, prev_hash, number), point) for point in points]
        ranked = sorted(entry for entry in hashes if int.from_bytes(entry[0], "little") <= limit)
        if ranked:
            asleep = len(ranked) > 1 and random.random() < 0.1
            return ranked[asleep][1], time
        time += network.pon_target_spacing


def pow_block(network: Network, height: int, header: Header, txs: Sequence[Wire], random: Random) -> bytes:
    """A block with a nonce and a solution of the era's size, both random."""
    size = next(s for name, s in SOLUTION_SIZES if name == "base" or height >= getattr(network.upgrades, name))
    return block(pow_header(header, random.randbytes(32), random.randbytes(size)), raws(txs))


def pon_block(header: Header, txs: Sequence[Wire], by: bytes, random: Random) -> bytes:
    """A block that the node with collateral ``by`` has signed, as it were."""
    return block(pon_header(header, by, signature(random)), raws(txs))


def raws(txs: Iterable[Wire]) -> list[bytes]:
    """The bytes of transactions."""
    return [tx.raw for tx in txs]
