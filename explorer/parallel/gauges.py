"""How the readings of the parallel chains are doing, for monitoring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

from explorer.parallel.base import Parallel, State

STATES: Final[tuple[str, ...]] = get_args(State)


def gauges(parallel: Parallel, document: Mapping[str, Any], now: int) -> dict[str, float]:
    """Samples by name and labels: state, age and failures of each chain, age of the cut; ``now`` in Unix seconds."""
    found: dict[str, float] = {}
    for known in parallel.chains:
        labels = f'chain="{known.chain.key}"'
        found |= {f'parallel_state{{{labels},state="{state}"}}': int(known.state == state) for state in STATES}
    for known in parallel.chains:
        if known.reading is not None:
            found[f'parallel_reading_age_seconds{{chain="{known.chain.key}"}}'] = max(now - known.reading.time, 0)
    for known in parallel.chains:
        row = document.get("chains", {}).get(known.chain.key, {})
        found[f'parallel_failures{{chain="{known.chain.key}"}}'] = row.get("failed", 0)
    if parallel.cut is not None:
        found["parallel_cut_age_seconds"] = max(now - parallel.cut.time, 0)
        found["parallel_cut_stale"] = int(parallel.cut_stale)
    return found
