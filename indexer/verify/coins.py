"""The unspent outputs against the ends of the ledger and the totals of the tip, streamed in the order of addresses.

Both sides are sorted by address, so that one pass with little memory compares them all. The walk may miss
coins that blocks above the view have spent meanwhile; addresses that do not agree are therefore looked at
again, fenced, with what those blocks spent, before anything is called a finding.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from random import Random
from typing import NamedTuple

from indexer.chain.keys import NO_ADDRESS
from indexer.store.base import Document
from indexer.store.codec import LedgerRow, ledger_row, utxo_row
from indexer.verify.finding import Finding, Findings
from indexer.verify.view import View

MOST_DOUBTS = 10_000  # addresses looked at again; an index with more of them is beyond repair anyway


class Held(NamedTuple):
    """The coins of an address: zatoshi and how many."""

    balance: int = 0
    coins: int = 0


class Sample:
    """A uniform choice of ``size`` addresses out of all that pass by."""

    def __init__(self, size: int, random: Random) -> None:
        self.addresses: list[bytes] = []
        self._size = size
        self._random = random
        self._seen = 0

    def offer(self, address: bytes) -> None:
        """One more address passes by."""
        self._seen += 1
        if len(self.addresses) < self._size:
            self.addresses.append(address)
        elif (place := self._random.randrange(self._seen)) < self._size:
            self.addresses[place] = address


def check_coins(view: View, findings: Findings, sample: Sample) -> str:
    """Compare utxos with ledger ends and with the totals of the tip; returns how much was looked at."""
    total, addresses = Held(), 0
    doubts: dict[bytes, Held] = {}
    nameless: dict[int, int] = {}
    for address, held, booked in _pairs(_held(view, nameless), _booked(view, findings)):
        addresses += 1
        sample.offer(address)
        if held == booked or len(doubts) >= MOST_DOUBTS:
            total = _sum(total, held)
        else:
            doubts[address] = booked
    for address, held in coins_of(view, doubts).items():
        total = _sum(total, held)
        where = f"{address.hex()} (its last row)"
        findings.compare("ledger", where, held._asdict(), doubts[address]._asdict(), view.height)
    nameless.update((c.outkey, c.value) for c in view.spent_since(view.check()) if c.address == NO_ADDRESS)
    total = _sum(total, Held(sum(nameless.values()), len(nameless)))
    _check_total(view, findings, total)
    return f"{total.coins:,} coins of {addresses:,} addresses"


def coins_of(view: View, addresses: Collection[bytes]) -> dict[bytes, Held]:
    """What these addresses held at the height of the view."""

    def read(tip: Document) -> dict[bytes, Held]:
        held = dict.fromkeys(addresses, Held())
        unspent = map(utxo_row, view.store.find("utxos", "a", list(addresses)))
        coins = [(coin.address, coin.value) for coin in unspent if coin.outkey < view.outkeys]
        coins += [(coin.address, coin.value) for coin in view.spent_since(tip) if coin.address in held]
        for address, value in coins:
            held[address] = _sum(held[address], Held(value, 1))
        return held

    return view.fenced(read)


def _sum(a: Held, b: Held) -> Held:
    return Held(a.balance + b.balance, a.coins + b.coins)


def _check_total(view: View, findings: Findings, total: Held) -> None:
    for block in view.rows("blocks", "totals of the tip", view.height):
        expected = {"transparent": total.balance, "txouts": total.coins}
        findings.compare("blocks", f"{view.height} (from the utxos)", expected, dict(block), view.height)


def _held(view: View, nameless: dict[int, int]) -> Iterator[tuple[bytes, Held]]:
    """The coins of the view by address, in its order; those of nobody, which are few, go to ``nameless``."""
    expected = next((block["txouts"] for block in view.store.scan("blocks", view.height, view.height + 1)), 0)
    documents = view.told(view.store.along("utxos", ("a", "k")), "utxos and ledger", expected, "coin")
    rows = (row for row in map(utxo_row, documents) if row.outkey < view.outkeys)
    for address, coins in groupby(rows, lambda row: row.address):
        if address == NO_ADDRESS:
            nameless.update((coin.outkey, coin.value) for coin in coins)
            continue
        values = [coin.value for coin in coins]
        yield address, Held(sum(values), len(values))


def _booked(view: View, findings: Findings) -> Iterator[tuple[bytes, Held]]:
    """What the last ledger row of each address says, in the order of addresses."""
    rows = (row for row in map(ledger_row, view.store.scan("ledger")) if row.height <= view.height)
    for address, history in groupby(rows, lambda row: row.address):
        last = _follow(history, findings)
        yield address, Held(last.balance, last.utxo_count)


def _follow(history: Iterable[LedgerRow], findings: Findings) -> LedgerRow:
    """The last row of an address; notes what cannot be, row after row."""
    before: LedgerRow | None = None
    for row in history:
        _step(before, row, findings)
        before = row
    assert before is not None  # groupby gives no empty group
    return before


def _step(before: LedgerRow | None, row: LedgerRow, findings: Findings) -> None:
    balance, received, count = (before.balance, before.received, before.tx_count) if before else (0, 0, 0)
    where = f"{row.address.hex()} at block {row.height}"
    expected_count = count + len(row.positions)
    if row.tx_count != expected_count:
        findings.add(Finding("ledger", where, "n", expected_count, row.tx_count, row.height))
    if row.received - received < max(0, row.balance - balance):
        least = received + max(0, row.balance - balance)
        findings.add(Finding("ledger", where, "r", f"at least {least}", row.received, row.height))
    if not 0 <= row.balance <= row.received:
        findings.add(Finding("ledger", where, "b", f"0 to {row.received}", row.balance, row.height))


def _pairs(
    held: Iterator[tuple[bytes, Held]], booked: Iterator[tuple[bytes, Held]]
) -> Iterator[tuple[bytes, Held, Held]]:
    """Both sides joined by address; nothing where a side lacks one."""
    left, right = next(held, None), next(booked, None)
    while left is not None or right is not None:
        if right is None or left is not None and left[0] < right[0]:
            assert left is not None
            yield left[0], left[1], Held()
            left = next(held, None)
        elif left is None or right[0] < left[0]:
            yield right[0], Held(), right[1]
            right = next(booked, None)
        else:
            yield left[0], left[1], right[1]
            left, right = next(held, None), next(booked, None)
