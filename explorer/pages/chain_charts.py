"""The charts of the chain over its heights, as figures and as sheets of numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import floor, log10
from typing import Final

from explorer.charts.figure import Band, Figure, Line
from explorer.pages.formats import count, group, plain, utc
from explorer.pages.sheets import Column, Kind, Sheet
from explorer.pages.supply_charts import noted
from explorer.pages.supply_words import capital, compact
from explorer.queries.chart_results import ChartName, ChartPoint, History, Measure
from indexer.chain.params import COIN

DIGITS: Final = 6  # of the largest number with decimals, on a drawing
KINDS: Final[Mapping[Measure, Kind]] = {"count": "number", "number": "number", "amount": "amount"}


@dataclass(frozen=True, slots=True)
class Words:
    """What a chart is called, what its numbers are, and the colour of its line."""

    title: str
    about: str
    column: str
    tone: str = "accent"


WORDS: Final[Mapping[ChartName, Words]] = {
    "block_time": Words("Time between blocks", "Mean seconds from block to block", "Seconds"),
    "transactions": Words(
        "Transactions a day", "Transactions of all kinds, confirmations of nodes included", "Transactions a day"
    ),
    "difficulty": Words(
        "Difficulty", "How many times harder than the easiest target; another measure since proof of node", "Difficulty"
    ),
    "fees": Words("Fees a day", "What the transactions left to the block", "FLUX a day", "good"),
    "nodes_cumulus": Words("Cumulus nodes", "Confirmed nodes of the tier", "Nodes", "cumulus"),
    "nodes_nimbus": Words("Nimbus nodes", "Confirmed nodes of the tier", "Nodes", "nimbus"),
    "nodes_stratus": Words("Stratus nodes", "Confirmed nodes of the tier", "Nodes", "stratus"),
    "payouts": Words(
        "Node payouts a day", "Payouts that the node queue predicted and the coinbase paid", "Payouts a day"
    ),
    "supply": Words("Issued coins", "What the coinbases made, less the fees that they took", "FLUX"),
    "active_addresses": Words(
        "Active addresses a day", "Addresses that paid or were paid in a day's worth of blocks", "Addresses a day"
    ),
}


def chain_figure(history: History) -> Figure:
    """A chart of the chain; its y axis counts in whole parts of what is shown."""
    words, points = WORDS[history.name], history.points
    scale = _scale(history)
    said = _said(history, scale)
    times = [(point.height, point.time) for point in points]
    time_of = dict(times)
    line = tuple((point.height, round(point.value * scale)) for point in points)
    largest = max((y for _, y in line), default=0)
    return Figure(
        words.title,
        _summary(words.about, points, said, scale),
        (Line(words.column, words.tone, line),),
        x_mark=group,
        y_mark=compact if history.measure == "amount" and largest >= COIN else said,
        x_note=noted(times),
        x_said=lambda height: f"Block {group(height)}, {utc(time_of[height])}",
        y_said=said,
        bands=tuple(Band(capital(era.name), era.first_height, era.last_height) for era in history.eras),
        y_unit=COIN if history.measure == "amount" and largest >= COIN else 1,
    )


def chain_sheet(history: History) -> Sheet:
    """The numbers of a chart, newest first; those with decimals as they are written."""
    kind = KINDS[history.measure]
    columns = (Column("Block", "height"), Column("Time", "time"), Column(WORDS[history.name].column, kind))
    rows = ((p.height, p.time, p.value if isinstance(p.value, int) else repr(p.value)) for p in history.points)
    return Sheet(columns, tuple(rows)[::-1])


def _scale(history: History) -> int:
    """By what numbers with decimals are multiplied, so that a drawing counts in whole ones."""
    largest = max((point.value for point in history.points), default=0)
    if history.measure != "number" or not largest:
        return 1
    return int(10 ** max(DIGITS - 1 - floor(log10(largest)), 0))


def _said(history: History, scale: int) -> Callable[[int], str]:
    """How a value of the drawing is written in full."""
    if history.measure == "amount":
        return lambda y: f"{plain(y)} FLUX"
    return group if scale == 1 else lambda y: f"{y / scale:,.6g}"


def _summary(about: str, points: tuple[ChartPoint, ...], said: Callable[[int], str], scale: int) -> str:
    if not points:
        return f"{about}. There is nothing to show yet."
    last = points[-1]
    value = said(round(last.value * scale))
    return f"{about}, at {count(len(points), 'point')} up to block {group(last.height)}; {value} at the end."
