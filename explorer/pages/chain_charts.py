"""The charts of the chain over its heights, as figures and as sheets of numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import floor, log10
from typing import Final

from explorer.charts.figure import Band, Figure, Line
from explorer.languages import N_, Told, _, ngettext
from explorer.pages.formats import group, plain
from explorer.pages.sheets import Column, Kind, Sheet
from explorer.pages.supply_charts import block_said, noted
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


def _translated(words: Words) -> Words:
    return Words(_(words.title), _(words.about), _(words.column), words.tone)


WORDS: Final[Mapping[ChartName, Words]] = Told({
    "block_time": Words(N_("Time between blocks"), N_("Mean seconds from block to block"), N_("Seconds")),
    "transactions": Words(
        N_("Transactions a day"), N_("Transactions of all kinds, confirmations of nodes included"),
        N_("Transactions a day"),
    ),
    "difficulty": Words(
        N_("Difficulty"),
        N_("How many times harder than the easiest target; another measure since proof of node"),
        N_("Difficulty"),
    ),
    "fees": Words(N_("Fees a day"), N_("What the transactions left to the block"), N_("FLUX a day"), "good"),
    "nodes_cumulus": Words(N_("Cumulus nodes"), N_("Confirmed nodes of the tier"), N_("Nodes"), "cumulus"),
    "nodes_nimbus": Words(N_("Nimbus nodes"), N_("Confirmed nodes of the tier"), N_("Nodes"), "nimbus"),
    "nodes_stratus": Words(N_("Stratus nodes"), N_("Confirmed nodes of the tier"), N_("Nodes"), "stratus"),
    "payouts": Words(
        N_("Node payouts a day"), N_("Payouts that the node queue predicted and the coinbase paid"),
        N_("Payouts a day"),
    ),
    "supply": Words(
        N_("Issued coins"), N_("What the coinbases made, less the fees that they took"), "FLUX"
    ),
    "active_addresses": Words(
        N_("Active addresses a day"), N_("Addresses that paid or were paid in a day's worth of blocks"),
        N_("Addresses a day"),
    ),
}, _translated)  # fmt: skip


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
        x_said=block_said(time_of),
        y_said=said,
        bands=tuple(Band(capital(era.name), era.first_height, era.last_height) for era in history.eras),
        y_unit=COIN if history.measure == "amount" and largest >= COIN else 1,
    )


def chain_sheet(history: History) -> Sheet:
    """The numbers of a chart, newest first; those with decimals as they are written."""
    kind = KINDS[history.measure]
    columns = (Column(_("Block"), "height"), Column(_("Time"), "time"), Column(WORDS[history.name].column, kind))
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
        return _("%(about)s. There is nothing to show yet.", about=about)
    last = points[-1]
    return ngettext(
        "%(about)s, at %(num)s point up to block %(height)s; %(value)s at the end.",
        "%(about)s, at %(num)s points up to block %(height)s; %(value)s at the end.",
        len(points), about=about, height=group(last.height), value=said(round(last.value * scale)),
    )  # fmt: skip
