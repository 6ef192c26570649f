"""``verify``: whether what is stored agrees with itself, and for which block that was proved."""

from __future__ import annotations

import sys
from contextlib import closing

from indexer.chain.keys import hash_text
from indexer.commands.database import readable
from indexer.config import Config
from indexer.progress import Progress
from indexer.store.mongo import MongoStore
from indexer.verify import Extent, Outcome, verify
from indexer.verify.finding import KEPT
from indexer.verify.run import remedy

FOUND = 1


def run(config: Config, addresses: int | None, blocks: int | None) -> int:
    """Run all checks and print a verdict for each; 1 when something was found.

    So many random addresses and blocks are derived anew, all of them for None.
    """
    progress = Progress(sys.stderr)
    with readable(config) as uri, closing(MongoStore(uri, config.database_name)) as store:
        try:
            outcomes = verify(store, config.network, Extent(addresses, blocks), progress)
        finally:
            progress.end()
    if not outcomes:
        print("nothing to verify: the index has no block yet")
        return 0
    for outcome in outcomes:
        _tell(outcome)
    findings = [finding for outcome in outcomes for finding in outcome.findings]
    where = f"block {outcomes[0].height:,} {hash_text(outcomes[0].hash)}"
    if not findings:
        print(f"what is stored agrees with itself at {where}")
        return 0
    print(f"{sum(outcome.count for outcome in outcomes):,} findings at {where}; what to do: {remedy(findings)}")
    return FOUND


def _tell(outcome: Outcome) -> None:
    verdict = "agrees" if outcome.good else f"{outcome.count:,} findings"
    print(f"{outcome.name + ':':<15} {verdict}; {outcome.checked}, block {outcome.height:,}, {outcome.seconds:.1f} s")
    for finding in outcome.findings:
        print(f"  {finding}")
    if outcome.count > KEPT:
        print(f"  and {outcome.count - KEPT:,} more")
