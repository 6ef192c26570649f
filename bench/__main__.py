"""All figures of docs/measurements.md: ``python -m bench`` prints them, ``--write`` puts them into the page."""

from __future__ import annotations

import argparse
import os
import platform
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from textwrap import fill

from bench import index, parse
from bench.mix import mix
from indexer.store import mongod

PAGE = Path(__file__).parents[1] / "docs" / "measurements.md"
PART = re.compile(r"(<!-- bench -->\n).*?(<!-- bench end -->)", re.DOTALL)

Row = tuple[str, str, str]


def processor() -> str:
    """The name of the machine's processor."""
    names = re.findall(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return names[0].strip() if names else platform.machine()


def machine(load: float) -> str:
    """What the figures were measured on, with the load that the machine had before."""
    version = ".".join(map(str, mongod.check(mongod.find())))
    kernel = platform.release().partition("-")[0]
    return (
        f"{processor()}, {os.cpu_count()} cores, {mongod.machine_memory() >> 30} GiB, Linux {kernel}, "
        f"Python {platform.python_version()}, MongoDB {version}, {datetime.now(UTC):%Y-%m-%d}; load of other work "
        f"before the run: {load:.1f}"
    )


def parse_rows(found: parse.Figures) -> Iterator[Row]:
    """The figures of the parsers."""
    most, least = parse.MOST_PASSES, parse.LEAST_TWIN
    yield "compiled `parse_block`, in SHA-256 passes over the same bytes", f"{found.passes:.2f}", f"at most {most}"
    yield "pure `parse_block`, in times of the compiled one", f"{found.twin:.0f}", f"at least {least}"
    millions, megabytes = found.transactions_per_second / 1e6, found.bytes_per_second / 1e6
    yield "compiled `parse_block`", f"{millions:.1f} million transactions/s, {megabytes:,.0f} MB/s", ""


def index_rows(found: index.Figures) -> Iterator[Row]:
    """The figures of the indexer, end to end."""
    yield "end to end", f"{found.rate:,.0f} transactions/s", f"{index.LEAST_RATE:,}"
    yield "end to end, building the late indexes included", f"{found.rate_with_late:,.0f} transactions/s", ""
    yield "processor time of the indexer", f"{found.own_us:.1f} µs a transaction", ""
    share = f"{found.mongod_us:.1f} µs a transaction, {found.mongod_share:.0%} of both"
    yield "processor time of mongod", share, ""
    yield "storage, indexes included", f"{found.bytes_per_transaction:.1f} bytes a transaction", f"{index.MOST_BYTES}"
    yield "memory of the indexer, at most", f"{found.rss_mib:,} MiB", "2,048 MiB"


def tables(parsed: parse.Figures, indexed: index.Figures, load: float) -> str:
    """The measured part of the page."""
    rows = [*parse_rows(parsed), *index_rows(indexed)]
    lines = ["| what | figure | budget |", "| --- | --- | --- |", *(f"| {' | '.join(row)} |" for row in rows)]
    lines += ["", fill(f"Measured on: {machine(load)}.", 120), ""]
    lines += ["Where the bytes are, per row and per transaction of the mix:", ""]
    lines += ["| collection | rows | data | indexes | bytes a transaction |", "| --- | --- | --- | --- | --- |"]
    for name, (count, data, indexes) in indexed.rows.items():
        share = count * (data + indexes) / indexed.transactions
        lines.append(f"| `{name}` | {count:,} | {data:,.1f} | {indexes:,.1f} | {share:.1f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure everything; a few minutes on two cores."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/measurements.md")
    parser.add_argument("--runs", type=int, default=index.RUNS, help="runs of the indexer, of which the median counts")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    found = tables(parse.measure(mix(parse.BLOCKS)), index.measure(given.runs), load)
    print(found)
    if given.write:
        PAGE.write_text(PART.sub(lambda part: part[1] + found + part[2], PAGE.read_text()))


if __name__ == "__main__":
    main()
