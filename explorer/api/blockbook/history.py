"""The balance history of an address: what it received and sent, summed over equal stretches of time."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from explorer.api.blockbook.accounts import descriptor_key
from explorer.api.blockbook.shapes import Json
from explorer.db import View
from explorer.queries.flows import Flow, flows

HOUR: Final = 3600


async def balance_history(
    view: View, descriptor: str, *, since: int | None = None, until: int | None = None, stretch: int = HOUR
) -> list[Json]:
    """The sums of every stretch of ``stretch`` seconds in which something moved, oldest first."""
    found = await flows(view, descriptor_key(view, descriptor), since, until)
    ordered = sorted(found, key=lambda flow: flow.time // stretch)  # block times may fall
    return [_sum(number * stretch, list(part)) for number, part in groupby(ordered, lambda flow: flow.time // stretch)]


def _sum(time: int, part: list[Flow]) -> Json:
    return {
        "time": time,
        "txs": sum(flow.transactions for flow in part),
        "received": str(sum(flow.received for flow in part)),
        "sent": str(sum(flow.sent for flow in part)),
        "sentToSelf": str(sum(flow.to_self for flow in part)),
    }
