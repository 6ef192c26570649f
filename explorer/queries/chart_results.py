"""What the queries for charts answer with, in the manner of ``results``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from explorer.queries.supply_results import Era
from explorer.queries.units import Height, Seconds

ChartName = Literal[
    "block_time", "transactions", "difficulty", "fees", "nodes_cumulus", "nodes_nimbus", "nodes_stratus", "payouts",
    "supply", "active_addresses",
]  # fmt: skip
Measure = Literal["count", "number", "amount"]
"""How a value is written: a whole number, a number with decimals, zatoshi."""

NAMES: Final[tuple[ChartName, ...]] = get_args(ChartName)


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """A value of a chart and the block that it ends with; header time. Amounts in zatoshi."""

    height: Height
    time: Seconds
    value: int | float


@dataclass(frozen=True, slots=True)
class History:
    """A value over the heights in rising order, and the eras that have begun."""

    name: ChartName
    unit: str
    measure: Measure
    points: tuple[ChartPoint, ...]
    eras: tuple[Era, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart as programs read it: time (Unix seconds) and value of each point; amounts as text in FLUX.

    ``heights`` are those of the blocks that the points end with.
    """

    name: ChartName
    unit: str
    points: tuple[tuple[int | float | str, ...], ...]
    heights: tuple[Height, ...]
