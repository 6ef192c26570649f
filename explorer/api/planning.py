"""The part of the API for those who plan: what nodes earn, and the rules at any height."""

from __future__ import annotations

from starlette.requests import Request

from explorer.api.body import query_int
from explorer.api.endpoint import Api, Parameter
from explorer.db import Answer
from explorer.errors import BadRequest
from explorer.languages.phrases import Phrase
from explorer.queries.earnings import Earnings, earnings
from explorer.queries.rules import HIGHEST, rules
from explorer.queries.rules_results import Rules
from explorer.services import services
from indexer.chain.tiers import TIERS, Tier

MOST_NODES = 1_000_000

COUNTS = tuple(
    Parameter(
        tier.label,
        {"type": "integer", "minimum": 0, "maximum": MOST_NODES, "default": 0},
        f"nodes of {tier.label.capitalize()}",
    )
    for tier in TIERS
)
JOINING = Parameter("joining", {"type": "string", "enum": ["1"]}, "they are new, not among those that there are")
HEIGHT = Parameter("at", {"type": "integer", "minimum": 0, "maximum": HIGHEST}, "height, the next block by default")

api = Api()


def counts_of(request: Request) -> dict[Tier, int]:
    """How many nodes of each tier a request is about, 0 where it says nothing."""
    counts = {}
    for tier in TIERS:
        number = query_int(request, tier.label) if request.query_params.get(tier.label) else 0
        if number is None or number > MOST_NODES:
            raise BadRequest(Phrase(
                "%(tier)s is %(number)s: expected a whole number up to %(most)s",
                tier=tier.label, number=number, most=MOST_NODES,
            ))  # fmt: skip
        counts[tier] = number
    return counts


def is_joining(request: Request) -> bool:
    """Whether the nodes are new ones."""
    text = request.query_params.get("joining", "")
    if text not in ("", "1"):
        raise BadRequest(Phrase("joining is %(text)s: expected 1, or leave it away", text=repr(text[:20])))
    return text == "1"


def height_of(request: Request) -> int | None:
    """The height that is asked about, None for the next block."""
    return query_int(request, "at") if request.query_params.get("at") else None


@api.get("/api/v1/earnings", Earnings, *COUNTS, JOINING, errors=(400, 503))
async def get_earnings(request: Request) -> Answer[Earnings]:
    """What so many nodes of each tier earn, now and after the next change of the subsidy."""
    return await services(request).db.fenced(earnings, counts_of(request), joining=is_joining(request))


@api.get("/api/v1/rules", Rules, HEIGHT, errors=(400, 503))
async def get_rules(request: Request) -> Answer[Rules]:
    """The rules of a block, also of one to come: parameters, nodes, rewards, and how they change era by era."""
    return await services(request).db.fenced(rules, at=height_of(request))
