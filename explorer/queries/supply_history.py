"""The supply over the heights, for a chart."""

from __future__ import annotations

from explorer.db import View
from explorer.errors import BadRequest
from explorer.languages.phrases import Phrase
from explorer.queries.block_rows import block_rows
from explorer.queries.reductions import begun_eras
from explorer.queries.supply import formula_at
from explorer.queries.supply_results import SupplyHistory, SupplyPoint
from indexer.chain.subsidy import scheduled_issue

FEWEST, MOST, DEFAULT = 2, 1000, 200
FIELDS = ("time", "issued", "transparent", "sprout", "sapling", "unspendable")


async def supply_history(view: View, *, points: int | None = None) -> SupplyHistory:
    """The supply at so many heights (2 to 1000, 200 by default), evenly spread from genesis to the tip."""
    wanted = DEFAULT if points is None else points
    if not FEWEST <= wanted <= MOST:
        raise BadRequest(Phrase(
            "points is %(wanted)s: expected a whole number from %(fewest)s to %(most)s",
            wanted=wanted, fewest=FEWEST, most=MOST,
        ))  # fmt: skip
    tip, parallel = view.tip.height, view.parallel
    heights = sorted({tip * n // (wanted - 1) for n in range(wanted)})
    rows = await block_rows(view, heights, *FIELDS)
    found = tuple(
        SupplyPoint(
            height=row["_id"],
            time=row["time"],
            issued=row["issued"],
            transparent=row["transparent"],
            shielded=row["sprout"] + row["sapling"],
            unspendable=row["unspendable"],
            schedule=scheduled_issue(view.network, row["_id"]),
            formula=formula_at(view, parallel, row["_id"]),
        )
        for row in rows.values()
    )
    return SupplyHistory(found, begun_eras(view.network, tip))
