"""Moments to come as a calendar (iCalendar, RFC 5545), for programs that subscribe to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

PRODUCT: Final = "-//Flux Explorer//Node payouts//EN"
HOURLY: Final = "PT1H"
LINE: Final = 75  # octets of a line without its end (RFC 5545, 3.1)

_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\x85\u2028\u2029]")
_SPECIAL = re.compile(r"[\\;,]")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that is expected between two moments, Unix seconds; ``id`` stays when the moments move."""

    id: str
    first: int
    last: int
    summary: str
    description: str
    path: str


def calendar(name: str, host: str, written: int, events: Iterable[Event]) -> str:
    """A calendar of events as text with CRLF; ``written`` is the moment of its truth, Unix seconds."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODUCT}",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{escaped(name)}",
        f"REFRESH-INTERVAL;VALUE=DURATION:{HOURLY}",
        f"X-PUBLISHED-TTL:{HOURLY}",
        *(line for event in events for line in _lines(event, host, written)),
        "END:VCALENDAR",
    ]
    return "".join(f"{folded(line)}\r\n" for line in lines)


def _lines(event: Event, host: str, written: int) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{escaped(event.id)}"
    yield f"DTSTAMP:{_moment(written)}"
    yield f"DTSTART:{_moment(event.first)}"
    yield f"DTEND:{_moment(max(event.last, event.first + 1))}"
    yield f"SUMMARY:{escaped(event.summary)}"
    yield f"DESCRIPTION:{escaped(event.description)}"
    yield f"URL:{host}{event.path}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def escaped(text: str) -> str:
    """Text as the value of a property: it can begin no line of its own (RFC 5545, 3.3.11)."""
    marked = _SPECIAL.sub(r"\\\g<0>", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _CONTROLS.sub(" ", marked.replace("\n", "\\n"))


def folded(line: str) -> str:
    """A line in pieces of at most 75 octets, no character split (RFC 5545, 3.1)."""
    pieces, size = [""], 0
    for character in line:
        width = len(character.encode("utf-8", "replace"))
        if size + width > LINE:
            pieces.append("")
            size = 1  # the space that marks a continuation
        pieces[-1] += character
        size += width
    return "\r\n ".join(pieces)


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%SZ")
