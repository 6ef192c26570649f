"""The supply and the parallel chains over time, as figures and as sheets of numbers."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from explorer.charts.figure import Band, Figure, Limit, Line
from explorer.languages import N_, _, ngettext
from explorer.pages.formats import count, flux, group, utc
from explorer.pages.sheets import Column, Sheet
from explorer.pages.supply_words import capital, compact
from explorer.queries.parallel_history import ParallelHistory, ParallelPoint
from explorer.queries.supply_results import SupplyHistory, SupplyPoint
from indexer.chain.params import COIN

TONES: Final = ("nimbus", "cumulus", "stratus", "good")
DAY: Final = 86_400  # seconds
PATTERNS: Final = (
    (DAY, "%(clock)s"),
    (4 * DAY, N_("%(day)s %(month)s %(clock)s")),
    (700 * DAY, N_("%(day)s %(month)s")),
)
"""How moments are written beside axes of at most so many seconds."""

MONTHS: Final = (
    N_("Jan"), N_("Feb"), N_("Mar"), N_("Apr"), N_("May"), N_("Jun"),
    N_("Jul"), N_("Aug"), N_("Sep"), N_("Oct"), N_("Nov"), N_("Dec"),
)  # fmt: skip
STEPS: Final = (
    *(60 * minutes for minutes in (1, 5, 10, 30, 60, 120, 360, 720)),
    *(DAY * days for days in (1, 2, 5, 10, 20, 30, 60, 90, 180, 365)),
)


def moment(time: int, span: int) -> str:
    """A moment (Unix seconds, UTC) as an axis that spans so many seconds writes it."""
    at = datetime.fromtimestamp(time, UTC)
    pattern = next((pattern for most, pattern in PATTERNS if span <= most), N_("%(month)s %(year)s"))
    return _(
        pattern, day=f"{at.day:02}", month=_(MONTHS[at.month - 1]), year=at.year, clock=f"{at.hour:02}:{at.minute:02}"
    )


def noted(known: Sequence[tuple[int, int]]) -> Callable[[int], str]:
    """When a height was reached, from (height, time) of some heights, as an axis notes it."""
    heights = [height for height, _ in known]
    last = known[-1][1] if known else 0
    span = last - known[1][1] if len(known) > 1 else 0  # block 0 may be years older than block 1

    def note(height: int) -> str:
        at = bisect_right(heights, height) - 1
        if at < 0:
            return ""
        (h0, t0), (h1, t1) = known[at], known[min(at + 1, len(known) - 1)]
        time = t0 + (t1 - t0) * (height - h0) // max(h1 - h0, 1)
        return moment(time, max(span, last - time))

    return note


def block_said(times: Mapping[int, int]) -> Callable[[int], str]:
    """How a height is told in full, with its time (Unix seconds)."""
    return lambda height: _("Block %(height)s, %(time)s", height=group(height), time=utc(times[height]))


def supply_figure(history: SupplyHistory, limit: int) -> Figure:
    """What was issued, what of it is transparent, and the official formula over the heights; zatoshi."""
    points = history.points
    times = [(point.height, point.time) for point in points]
    last = points[-1]
    return Figure(
        _("Flux supply by block height"),
        _supply_summary(last),
        (
            Line(_("Issued"), "accent", tuple((p.height, p.issued) for p in points)),
            Line(_("Transparent"), "stratus", tuple((p.height, p.transparent) for p in points), dashed=True),
            Line(_("All chains, official formula"), "nimbus", tuple((p.height, p.formula) for p in points)),
        ),
        x_mark=group,
        y_mark=compact,
        x_note=noted(times),
        x_said=block_said(dict(times)),
        y_said=flux,
        bands=tuple(Band(capital(era.name), era.first_height, era.last_height) for era in history.eras),
        limits=(Limit(f"{compact(limit)} FLUX", limit),) if 4 * last.issued >= limit else (),
        y_unit=COIN,
    )


def _supply_summary(last: SupplyPoint) -> str:
    """The end of the chart of the supply in a sentence."""
    height, issued, transparent = group(last.height), flux(last.issued), flux(last.transparent)
    if last.formula is None:
        return _(
            "Up to block %(height)s: %(issued)s issued, %(transparent)s of it transparent.",
            height=height, issued=issued, transparent=transparent,
        )  # fmt: skip
    return _(
        "Up to block %(height)s: %(issued)s issued, %(transparent)s of it transparent; %(formula)s on all chains by "
        "the official formula.",
        height=height, issued=issued, transparent=transparent, formula=flux(last.formula),
    )  # fmt: skip


def supply_sheet(history: SupplyHistory) -> Sheet:
    """The numbers of the supply chart, newest first."""
    columns = (
        Column(_("Block"), "height"), Column(_("Time"), "time"), Column(_("Issued"), "amount"),
        Column(_("Schedule"), "amount"), Column(_("Transparent"), "amount"), Column(_("Shielded"), "amount"),
        Column(_("Unspendable"), "amount"), Column(_("Official formula"), "amount"),
    )  # fmt: skip
    rows = (
        (p.height, p.time, p.issued, p.schedule, p.transparent, p.shielded, p.unspendable, p.formula)
        for p in reversed(history.points)
    )
    return Sheet(columns, tuple(rows))


def parallel_figure(history: ParallelHistory, names: dict[str, str]) -> Figure:
    """What circulated on all parallel chains, on the largest of them, and on the others together; zatoshi."""
    points = history.points
    largest = _largest(points, list(names))[: len(TONES)]
    others = [chain for chain in names if chain not in largest]
    lines = [Line(_("All together"), "accent", tuple((p.time, p.total) for p in points))]
    for chain, tone in zip(largest, TONES, strict=False):
        lines.append(Line(names[chain], tone, tuple((p.time, _of(p, [chain])) for p in points), dashed=True))
    if others:
        name = count(len(others), "other chain")
        lines.append(Line(name, "muted", tuple((p.time, _of(p, others)) for p in points), dashed=True))
    span = points[-1].time - points[0].time if points else 0
    return Figure(
        _("FLUX circulating on parallel chains"),
        _parallel_summary(points),
        tuple(lines),
        x_mark=lambda time: moment(time, span),
        y_mark=compact,
        x_note=lambda time: "",
        x_said=utc,
        y_said=flux,
        x_steps=STEPS,
        y_unit=COIN,
    )


def _parallel_summary(points: Sequence[ParallelPoint]) -> str:
    if not points:
        return _("What was outstanding at 0 moments.")
    return ngettext(
        "What was outstanding at %(num)s moment, from %(first)s to %(last)s.",
        "What was outstanding at %(num)s moments, from %(first)s to %(last)s.",
        len(points), first=utc(points[0].time), last=utc(points[-1].time),
    )  # fmt: skip


def parallel_sheet(history: ParallelHistory, names: dict[str, str]) -> Sheet:
    """The numbers of the chart of the parallel chains, newest first; a column for each chain."""
    columns = (
        Column(_("Time"), "time"), Column(_("Block"), "height"), Column(_("All together"), "amount"),
        *(Column(name, "amount") for name in names.values()),
    )  # fmt: skip
    rows = (
        (p.time, p.height, p.total, *(_of(p, [chain]) for chain in names)) for p in reversed(history.points)
    )
    return Sheet(columns, tuple(rows))


def _largest(points: Sequence[ParallelPoint], chains: list[str]) -> list[str]:
    """The chains by what circulated on them when it was last read, the largest first."""
    newest = {known.chain: known.outstanding for point in points for known in point.chains}
    return sorted((chain for chain in chains if chain in newest), key=lambda chain: -newest[chain])


def _of(point: ParallelPoint, chains: Sequence[str]) -> int | None:
    """What circulated on some chains together; None unless all of them were read."""
    read = {known.chain: known.outstanding for known in point.chains}
    return sum(read[chain] for chain in chains) if all(chain in read for chain in chains) else None
