"""Node records: payees, identity over several lives, delegates."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indexer.chain.hashes import hash160
from indexer.chain.keys import P2PKH, P2SH, outpoint, txkey
from indexer.chain.networks import MAIN
from indexer.chain.nodes import FOUNDATION, Collateral, Node, Status, order_key, payee_of_start, started_node
from indexer.chain.params import COIN
from indexer.chain.tiers import Tier
from indexer.errors import ChainError
from indexer.parse.columns import DELEGATES_SIGNING, DELEGATES_UPDATE, Delegates, NodeStart

HEIGHT = 2_100_000
POINT = outpoint(bytes(range(32)), 1)
OWNER = b"\x02" + b"o" * 32
HOME = bytes([P2SH]) + b"h" * 20
COLLATERAL = Collateral(1000 * COIN, HOME, HEIGHT - 100)


def start(**fields: object) -> NodeStart:
    plain = NodeStart(3, 6, 1, POINT, OWNER, b"\x03" + b"n" * 32, b"", 0, b"", None)
    return replace(plain, **fields)  # type: ignore[arg-type]


def begun(fields: NodeStart, previous: Node | None = None, collateral: Collateral = COLLATERAL) -> Node:
    return started_node(MAIN, HEIGHT, txkey(HEIGHT, 3), fields, collateral, previous)


def test_payee() -> None:
    script = b"\x51\x21" + OWNER + b"\x51\xae"
    foundation = start(collateral_pubkey=MAIN.nodes.foundation_key)
    assert payee_of_start(MAIN, start(), HOME) == (bytes([P2PKH]) + hash160(OWNER), P2PKH)
    assert payee_of_start(MAIN, start(collateral_pubkey=b"", redeem_script=script), HOME) == (
        bytes([P2SH]) + hash160(script),
        P2SH,
    )
    assert payee_of_start(MAIN, foundation, HOME) == (HOME, FOUNDATION)


def test_first_life() -> None:
    node = begun(start())
    assert (node.id, node.status, node.tier, node.started) == (txkey(HEIGHT, 3), Status.STARTED, Tier.CUMULUS, HEIGHT)
    assert (node.ip, node.confirmed, node.last_confirmed, node.last_paid, node.ended) == (b"", 0, 0, 0, 0)
    assert (node.lives, node.paid_count, node.paid_total, node.delegates) == (1, 0, 0, ())


def test_next_life_keeps_identity_and_counters() -> None:
    last = replace(
        begun(start()), id=7, status=Status.EXPIRED, ip=b"1.2.3.4", confirmed=5, last_confirmed=9, last_paid=8,
        ended=HEIGHT - 1, lives=2, paid_count=4, paid_total=400, delegates=(OWNER,),
    )  # fmt: skip
    node = begun(start(), last)
    assert (node.id, node.lives, node.paid_count, node.paid_total, node.delegates) == (7, 3, 4, 400, (OWNER,))
    assert (node.status, node.ip, node.confirmed, node.last_confirmed) == (Status.STARTED, b"", 0, 0)
    assert (node.last_paid, node.ended) == (0, 0)


@pytest.mark.parametrize(
    ("section", "after"),
    [
        (None, (OWNER,)),
        (Delegates(True, 1, DELEGATES_UPDATE, (b"new",)), (b"new",)),
        (Delegates(True, 1, DELEGATES_UPDATE, ()), ()),
        (Delegates(True, 1, DELEGATES_SIGNING, ()), (OWNER,)),
    ],
)
def test_delegates(section: Delegates | None, after: tuple[bytes, ...]) -> None:
    last = replace(begun(start()), status=Status.EXPIRED, delegates=(OWNER,))
    assert begun(start(delegates=section), last).delegates == after


@pytest.mark.parametrize(
    "collateral",
    [
        Collateral(1000 * COIN, HOME, HEIGHT - 99),
        Collateral(1000 * COIN + 1, HOME, HEIGHT - 100),
        Collateral(10_000 * COIN, HOME, HEIGHT - 100),
    ],
)
def test_refused_collateral(collateral: Collateral) -> None:
    with pytest.raises(ChainError, match=f"{bytes(range(32))[::-1].hex()}:1 in block {HEIGHT}.*rewind"):
        begun(start(), collateral=collateral)


def test_a_copy_is_equal_and_apart() -> None:
    node = replace(
        begun(start()), ip=b"1.2.3.4", confirmed=1, last_confirmed=2, last_paid=3, ended=4, lives=5, paid_count=6,
        paid_total=7, delegates=(b"d",),
    )  # fmt: skip
    copy = node.copy()
    assert copy == node
    copy.last_paid += 1
    assert copy != node


def test_order_key() -> None:
    """The four comparisons of the daemon's operator, one after the other."""
    fresh = replace(begun(start()), status=Status.CONFIRMED, confirmed=10)
    paid = replace(fresh, confirmed=5, last_paid=10)
    earlier = replace(fresh, confirmed=3, last_paid=9)
    second = replace(fresh, outpoint=outpoint(bytes(range(32)), 256))
    assert sorted([second, paid, fresh, earlier], key=order_key) == [earlier, fresh, second, paid]
