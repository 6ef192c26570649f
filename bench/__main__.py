"""All figures of docs/measurements.md: ``python -m bench`` prints them, ``--write`` puts them into the page."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator, Sequence

from bench import answers, catchup, parse
from bench.answers import Answered, Times
from bench.clocked import LISTS, PAYOUTS, ROWS
from bench.mix import mix
from bench.page import measured_on, publish
from indexer.sample.shape import plan

Row = tuple[str, ...]


def parse_rows(found: parse.Figures) -> Iterator[Row]:
    """The figures of the parsers."""
    most, least = parse.MOST_PASSES, parse.LEAST_TWIN
    yield "compiled `parse_block`, in SHA-256 passes over the same bytes", f"{found.passes:.2f}", f"at most {most}"
    yield "pure `parse_block`, in times of the compiled one", f"{found.twin:.0f}", f"at least {least}"
    millions, megabytes = found.transactions_per_second / 1e6, found.bytes_per_second / 1e6
    yield "compiled `parse_block`", f"{millions:.1f} million transactions/s, {megabytes:,.0f} MB/s", ""


def catchup_rows(found: catchup.Figures) -> Iterator[Row]:
    """The figures of a first catch-up from block files."""
    yield "first catch-up from block files", f"{found.rate:,.0f} transactions/s", f"{catchup.LEAST_RATE:,}"
    yield "the same, until the late indexes are built too", f"{found.rate_with_late:,.0f} transactions/s", ""
    yield "processor time of the indexer", f"{found.own_us:.1f} µs a transaction", ""
    parts = ", ".join(f"{part} {found.parts[part] / found.transactions * 1e6:.1f}" for part in (LISTS, PAYOUTS, ROWS))
    yield "of it, the node part", f"{found.node_us:.1f} µs a transaction ({parts}), {found.node_share:.0%}", ""
    share = found.mongod_us / (found.own_us + found.mongod_us)
    yield "processor time of mongod", f"{found.mongod_us:.1f} µs a transaction, {share:.0%} of both", ""
    yield "processor time of the daemon", f"{found.daemon_us:.2f} µs a transaction", ""
    yield "storage, indexes included", f"{found.bytes_per_transaction:.1f} bytes a transaction", f"{catchup.MOST_BYTES}"
    yield "memory of the indexer, at most", f"{found.memory_mib:,} MiB", "2,048 MiB"


def answer_rows(found: Answered) -> Iterator[Row]:
    """The figures of cold answers."""

    def row(what: str, times: Times, budget: int) -> Row:
        return what, f"{times.median:.0f} ms, at worst {times.worst:.0f} ms", f"{budget} ms"

    yield row("queue at a past height, page of 25", found.queue_25, answers.QUEUE_MS)
    yield row("queue at a past height, page of 1,000", found.queue_1000, answers.QUEUE_MS)
    yield row("1,000 balances at a height", found.balances, answers.BALANCES_MS)
    longest = f"first page of the longest history, of {found.longest_history:,} transactions"
    yield row(longest, found.history, answers.HISTORY_MS)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table."""
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def stored_rows(found: catchup.Figures) -> Iterator[Sequence[str]]:
    """Where the bytes are."""
    for name, size in found.sizes.items():
        each = (part / max(size.rows, 1) for part in (size.data, size.indexes))
        share = (size.data + size.indexes) / found.transactions
        yield [f"`{name}`", f"{size.rows:,}", *(f"{part:,.1f}" for part in each), f"{share:.1f}"]


def tables(parsed: parse.Figures, found: catchup.Figures, load: float) -> str:
    """The measured part of the page."""
    head = ("what", "figure", "budget")
    lines = table(head, (*parse_rows(parsed), *catchup_rows(found), *answer_rows(found.answered)))
    chain = (
        f"The chain: {found.nodes:,} nodes, {found.blocks:,} blocks, {found.transactions:,} transactions, "
        f"{found.file_bytes / 1e9:.2f} GB; the catch-up took {found.caught_up.seconds:.0f} s, with the late indexes "
        f"{found.indexed.seconds:.0f} s."
    )
    lines += ["", measured_on(load, chain)]
    lines += ["Where the bytes are, per row and per transaction:", ""]
    lines += table(("collection", "rows", "data", "indexes", "bytes a transaction"), stored_rows(found))
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure everything; some five minutes on two cores."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/measurements.md")
    parser.add_argument("--blocks", type=int, default=catchup.BLOCKS, help="of the chain that is caught up with")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    found = tables(parse.measure(mix(parse.BLOCKS)), catchup.run(plan(catchup.NODES, given.blocks)), load)
    publish("bench", found, write=given.write)


if __name__ == "__main__":
    main()
