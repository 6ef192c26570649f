"""The page docs/measurements.md: the parts that a bench writes, and what machine its figures are of."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path
from textwrap import fill

from indexer.store import mongod

PAGE = Path(__file__).parents[1] / "docs" / "measurements.md"


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


def measured_on(load: float, about: str = "") -> str:
    """A paragraph that says what figures are about and what they were measured on."""
    return fill(f"{about} Measured on: {machine(load)}.".strip(), 120) + "\n"


def with_part(page: str, name: str, text: str) -> str:
    """A page with another text between ``<!-- NAME -->`` and ``<!-- NAME end -->``."""
    part = re.compile(rf"(<!-- {name} -->\n).*?(<!-- {name} end -->)", re.DOTALL)
    if not part.search(page):
        raise ValueError(f"the page has no part <!-- {name} -->")
    return part.sub(lambda found: found[1] + text + found[2], page)


def publish(name: str, text: str, *, write: bool) -> None:
    """Print figures and, where that is wished, put them into their part of the page."""
    print(text)
    if write:
        PAGE.write_text(with_part(PAGE.read_text(), name, text))
