"""What circulated on the parallel chains, hour by hour, as far as it was read."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.db import View
from explorer.errors import BadRequest
from explorer.languages.phrases import Phrase
from explorer.queries.units import Height, Seconds, Zatoshi
from indexer.store.codec import Document

COLLECTION = "parallel_readings"
HOURS = {"_id": {"$gte": 0}}  # the state of the chains is kept under a name
FEWEST, MOST, DEFAULT = 2, 1000, 200


@dataclass(frozen=True, slots=True)
class ChainAmount:
    """What circulated on one parallel chain."""

    chain: str
    outstanding: Zatoshi


@dataclass(frozen=True, slots=True)
class ParallelPoint:
    """An hour: when it was last read and at which height; ``total`` is null where the chains were not read together.

    ``chains`` has those with a fresh reading only.
    """

    time: Seconds
    height: Height
    total: Zatoshi | None
    chains: tuple[ChainAmount, ...]


@dataclass(frozen=True, slots=True)
class ParallelHistory:
    """What circulated on the parallel chains; times rise, hours without a reading are missing."""

    points: tuple[ParallelPoint, ...]


async def parallel_history(view: View, *, points: int | None = None) -> ParallelHistory:
    """So many of the hours that were kept (2 to 1000, 200 by default), evenly spread, the newest among them."""
    wanted = DEFAULT if points is None else points
    if not FEWEST <= wanted <= MOST:
        raise BadRequest(Phrase(
            "points is %(wanted)s: expected a whole number from %(fewest)s to %(most)s",
            wanted=wanted, fewest=FEWEST, most=MOST,
        ))  # fmt: skip
    if view.parallel is None:
        return ParallelHistory(())
    hours = [row["_id"] for row in await view.many(COLLECTION, HOURS, sort=[("_id", 1)], fields=("_id",))]
    last = len(hours) - 1
    chosen = sorted({hours[last * n // (wanted - 1)] for n in range(wanted)}) if hours else []
    rows = await view.many(COLLECTION, {"_id": {"$in": chosen}}, sort=[("_id", 1)]) if chosen else []
    return ParallelHistory(tuple(_point(row) for row in rows))


def _point(row: Document) -> ParallelPoint:
    """An hour as it was kept."""
    chains = tuple(ChainAmount(chain, amount) for chain, amount in row["outstanding"].items())
    return ParallelPoint(row["time"], row["height"], row.get("total"), chains)
