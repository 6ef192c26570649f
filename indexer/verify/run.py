"""All checks, one after the other, at one height."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from random import Random

from indexer.chain.params import Network
from indexer.errors import Unavailable
from indexer.progress import ProgressCall
from indexer.store.base import Store
from indexer.verify.addresses import check_addresses
from indexer.verify.blocks import check_blocks
from indexer.verify.coins import Sample, check_coins
from indexer.verify.finding import Finding, Findings, Outcome
from indexer.verify.nodes import check_nodes, read_nodes
from indexer.verify.queues import check_queues
from indexer.verify.totals import check_totals
from indexer.verify.view import Moved, View

TRIES = 5
UNREADABLE = (LookupError, TypeError, ValueError, struct.error)  # what a row raises whose fields were mangled
SUPPLY = ("running totals", "coins")  # the checks that prove the supply: sums block by block, unspent outputs
Check = Callable[[View, Findings], str]


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is derived once more: so many random addresses and blocks; None for all of them."""

    addresses: int | None = 50
    blocks: int | None = 200


def verify(
    store: Store, network: Network, extent: Extent, progress: ProgressCall, random: Random | None = None
) -> list[Outcome]:
    """Run every check and keep the verdict in ``meta.checks``; nothing for an index without a block.

    Begins again when a reorganisation removes what was being looked at. Errors: Unavailable when the index
    does not keep still long enough.
    """
    for _ in range(TRIES):
        try:
            outcomes = list(_outcomes(View(store, progress), network, extent, random or Random()))
        except Moved:
            continue
        if outcomes:
            _keep(store, outcomes)
        return outcomes
    raise Unavailable("reorganisations keep removing what is being verified: try again later")


def _outcomes(view: View, network: Network, extent: Extent, random: Random) -> Iterator[Outcome]:
    if view.height < 0:
        return
    sample = Sample(extent.addresses or 0, random)
    every = range(view.height + 1)
    count = len(every) if extent.blocks is None else min(extent.blocks, len(every))
    heights = sorted(random.sample(every, count))
    nodes = read_nodes(view)  # at once: only while the tip is still where the view is
    yield _outcome(view, "nodes", partial(check_nodes, stored=nodes))
    yield _outcome(view, "queues", partial(check_queues, nodes=nodes))
    yield _outcome(view, "running totals", check_totals)
    yield _outcome(view, "coins", partial(check_coins, sample=sample))
    yield _outcome(view, "blocks", partial(check_blocks, network=network, heights=heights))
    chosen = None if extent.addresses is None else sample.addresses
    yield _outcome(view, "addresses", partial(check_addresses, sample=chosen))


def _outcome(view: View, name: str, check: Check) -> Outcome:
    findings = Findings()
    begun = time.monotonic()
    try:
        checked = check(view, findings)
    except UNREADABLE as error:
        checked = "broken off"
        findings.add(Finding(name, "a row", "what it holds", "readable", repr(error)))
    view.check()  # a finding counts only when nothing was removed meanwhile
    return Outcome(
        name=name,
        checked=checked,
        height=view.height,
        hash=bytes(view.tip["hash"]),
        seconds=time.monotonic() - begun,
        findings=tuple(findings),
        count=findings.count,
    )


def remedy(findings: list[Finding]) -> str:
    """What an operator does about findings."""
    heights = [finding.height for finding in findings if finding.height is not None]
    again = "index from the start with an empty database"
    if not heights:
        return again
    return (
        f"stop the indexer, flux-explorer rewind {min(heights) - 1}, start it and verify again; where undo records do "
        f"not reach that far, {again}"
    )


def _keep(store: Store, outcomes: list[Outcome]) -> None:
    first = outcomes[0]
    found = sum(outcome.count for outcome in outcomes)
    supply = all(outcome.good for outcome in outcomes if outcome.name in SUPPLY)
    verdict = {"height": first.height, "hash": first.hash, "verdict": not found, "findings": found, "supply": supply}
    store.put_meta("checks", {"verify": {**verdict, "at": int(time.time())}})
