"""Stretches of the chain as people name them: from a height or a date to a height or a date."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Final

from explorer.db import View
from explorer.errors import BadRequest
from explorer.languages.phrases import Phrase
from explorer.queries.running import first_reaching

DAY: Final = 86_400  # seconds

_HEIGHT = re.compile(r"\d{1,12}\Z", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)


async def first_block(view: View, text: str) -> int:
    """The height that ``text`` is, or the first block since a date by the running maximum of block times.

    One above the tip when there is no block since then. Errors: AboveTip, BadRequest.
    """
    if _HEIGHT.match(text):
        return view.require_height(int(text))
    found = await first_reaching(view, "max_time", _seconds("from", text, 0))
    return view.tip.height + 1 if found is None else found


async def last_block(view: View, text: str) -> int:
    """The height that ``text`` is, or the last block up to a moment or the end of a day; -1 before genesis.

    Errors: AboveTip, BadRequest.
    """
    if _HEIGHT.match(text):
        return view.require_height(int(text))
    after = await first_reaching(view, "max_time", _seconds("to", text, DAY - 1) + 1)
    return view.tip.height if after is None else after - 1


def _seconds(name: str, text: str, rest_of_day: int) -> int:
    """The Unix seconds of an ISO date or moment, UTC where it names no zone; a bare date lasts ``rest_of_day`` on."""
    try:
        if _DATE.match(text):
            return int(datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC).timestamp()) + rest_of_day
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        raise BadRequest(Phrase(
            "%(name)s is %(text)s: expected a height, or a date such as 2026-01-31 or 2026-01-31T12:00:00Z",
            name=name, text=repr(text[:30]),
        )) from None
