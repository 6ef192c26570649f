"""How numbers, times and hashes are written for people; the words of each sentence are in ``words``.

Numbers, amounts and moments are written alike in every language: only the words beside them are translated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from explorer.api.json import amount_text
from explorer.languages import _
from explorer.pages.nouns import AGO, AHEAD, LENGTHS, NOUNS, Noun, Unit

TAIL: Final = 8  # characters of a hash that stay visible behind the ellipsis
SLICE: Final = 200  # inputs or outputs on one page of a transaction
JUST_NOW: Final = 5  # seconds

_AGES: Final[tuple[tuple[int, Unit], ...]] = (
    (31_557_600, "year"),
    (2_629_800, "month"),
    (86_400, "day"),
    (3_600, "hour"),
    (60, "minute"),
    (1, "second"),
)
_SIZES: Final = ((1_000_000, "MB"), (1_000, "kB"))


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount split for aligning at the dot: sign, grouped whole FLUX, decimals that count, zeros that follow."""

    sign: str
    whole: str
    decimals: str
    zeros: str


def amount(zatoshi: int, *, signed: bool = False) -> Amount:
    """The parts of an amount; ``signed`` shows a plus too."""
    whole, _, decimals = amount_text(abs(zatoshi)).partition(".")
    counting = decimals.rstrip("0")
    sign = "\u2212" if zatoshi < 0 else "+" if signed and zatoshi > 0 else ""
    return Amount(sign, group(int(whole)), counting, decimals[len(counting) :])


def zatoshi(text: str) -> int:
    """An amount that was written with its 8 decimals."""
    whole, _, decimals = text.partition(".")
    return int(whole + decimals)


def flux(zatoshi: int) -> str:
    """An amount inside of a sentence: ``1,234.5 FLUX``."""
    return f"{plain(zatoshi)} FLUX"


def plain(zatoshi: int) -> str:
    """An amount without unit and without zeros that say nothing: ``1,234.5``."""
    parts = amount(zatoshi)
    return f"{parts.sign}{parts.whole}{'.' if parts.decimals else ''}{parts.decimals}"


def percent(share: float) -> str:
    """A part of 1 as percent with two decimals; one too small for them is not called nothing."""
    return "< 0.01 %" if 0 < share < 0.00005 else f"{100 * share:.2f} %"


def group(number: int) -> str:
    """A whole number with separators between thousands."""
    return f"{number:,}"


def count(number: int, noun: Noun) -> str:
    """A number with its noun: ``1 block``, ``2,400 blocks``."""
    return NOUNS[noun](number)


def listed(names: Sequence[str]) -> str:
    """Names one after the other: ``Kadena, Ergo and Base``."""
    if len(names) < 2:
        return "".join(names)
    return _("%(names)s and %(last)s", names=", ".join(names[:-1]), last=names[-1])


def utc(seconds: int) -> str:
    """A moment for people: ``2026-11-21 10:19:03 UTC``."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def day(seconds: int) -> str:
    """A day for people: ``2026-11-21``."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def iso(seconds: int) -> str:
    """A moment for the datetime attribute."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def duration(seconds: int) -> str:
    """A length of time in its largest unit: ``90`` is ``1 minute``."""
    number, unit = _largest(seconds)
    return LENGTHS[unit](number)


def _largest(seconds: int) -> tuple[int, Unit]:
    return next(((seconds // length, unit) for length, unit in _AGES if seconds >= length), (0, "second"))


def age(seconds: int, now: int) -> str:
    """How long ago a moment was; header times may lie ahead of the clock."""
    passed = now - seconds
    if abs(passed) < JUST_NOW:
        return _("just now")
    number, unit = _largest(abs(passed))
    return AGO[unit](number) if passed > 0 else AHEAD[unit](number)


def age_until(seconds: int, now: int) -> int:
    """When an age will read otherwise than it does now, in Unix seconds."""
    passed = now - seconds
    if passed <= -JUST_NOW:
        return now + 1
    if passed < JUST_NOW:
        return seconds + JUST_NOW
    lengths = [length for length, _ in reversed(_AGES)]
    unit = max(length for length in lengths if passed >= length)
    longer = (length for length in lengths if length > unit)
    return seconds + min((passed // unit + 1) * unit, next(longer, passed + unit))


def size(number: int) -> str:
    """Bytes for people: ``424 bytes``, ``12.4 kB``."""
    for unit, name in _SIZES:
        if number >= unit:
            return f"{number / unit:,.1f} {name}"
    return count(number, "byte")


def decimal(number: float) -> str:
    """A difficulty: at most four decimals, none that say nothing."""
    return f"{number:,.4f}".rstrip("0").rstrip(".")


def hundredths(number: float) -> str:
    """An expected count, with two decimals so that a column of them aligns."""
    return f"{number:,.2f}"


def daemon_version(number: int) -> str:
    """The daemon's version from its number (clientversion.h:CLIENT_VERSION): ``9000650`` is ``9.0.6``."""
    return f"{number // 1_000_000}.{number // 10_000 % 100}.{number // 100 % 100}"


def head(text: str) -> str:
    """The part of a hash before its tail."""
    return text[:-TAIL]


def tail(text: str) -> str:
    """The last characters of a hash, which stay visible."""
    return text[-TAIL:]


def outpoint_path(outpoint: str) -> str:
    """The page and line of an output."""
    txid, _, n = outpoint.rpartition(":")
    return output_path(txid, int(n))


def output_path(txid: str, n: int) -> str:
    """The page and line of output ``n``, on the slice of the transaction that shows it."""
    return f"/tx/{txid}{_slice('out', n)}#out-{n}"


def input_path(txid: str, n: int) -> str:
    """The page and line of input ``n``."""
    return f"/tx/{txid}{_slice('in', n)}#in-{n}"


def _slice(side: str, n: int) -> str:
    first = n // SLICE * SLICE
    return f"?{side}={first}" if first else ""
