"""What an answer costs, in tokens: one is about a third of a millisecond of one core.

Every request costs ``HOT``, also one that is answered from what is kept. What has to be made costs its route's price on
top, by the first rule that its path and method fit; a long list or a large batch more, by its length.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from starlette.routing import BaseRoute, Route

HOT: Final = 1
COLD: Final = 2  # what has to be made, where no rule says more
ROWS: Final = 50  # of a long list, for one more token

# Price on top, by what the method and the path of the route look like.
RULES: Final = tuple(
    (re.compile(pattern), price)
    for pattern, price in (
        (r"/static/|/favicon\.ico|/robots\.txt|/healthz|/metrics|/openapi\.json|/theme", 0),
        (r"/api/v1/events", 4),
        (r"sendtx/|/tx/send|sendrawtransaction|^POST /broadcast|^POST /api/v1/transactions", 20),
        (r"\.png$", 40),
        (r"/statement|/snapshots|parallel-mining|\.csv$|\.ics$|balancehistory", 30),
        (r"nodelist|listfluxnodes|listzelnodes|getaddress(deltas|txids)|getblockhashes|/explorer/transactions", 20),
        (r"raw|tx-specific|getblockdeltas|gettxoutsetinfo|/operator|/xpub/|/credits|/balances", 10),
        (r"richest|balance-intervals|richlist|distribution|producers|unclaimed|fusion", 10),
        (r"/account/(challenge|sign-in|sessions)", 10),
        (r"/charts|/addrs/|history|statistics|/statistics/|/preview|/verify|queue|/search|/q/|/suggestions", 5),
    )
)

METHODS: Final[Mapping[str, int]] = {
    "ping": 0, "sendTransaction": 20, "getBalanceHistory": 30, "getTransactionSpecific": 10,
}  # fmt: skip


def price_of(route: BaseRoute) -> int:
    """What a route's answer costs on top of ``HOT`` when it has to be made."""
    methods = route.methods or {"GET"} if isinstance(route, Route) else {"GET"}
    named = f"{'POST' if 'GET' not in methods else 'GET'} {getattr(route, 'path', '')}"
    return next((price for pattern, price in RULES if pattern.search(named)), COLD)


def price_of_method(name: str) -> int:
    """What the answer to a question over a websocket costs on top of ``HOT``; there it is always made."""
    return METHODS.get(name, COLD)


def price_of_rows(rows: int) -> int:
    """What so many rows cost on top of their route."""
    return rows // ROWS
