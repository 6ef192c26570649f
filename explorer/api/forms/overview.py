"""The daemon's view of chain and network (``getinfo``, ``getnetworkinfo``), from the index as far as that goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from explorer.db import Answer, View
from explorer.errors import UpstreamUnavailable
from explorer.queries.block_rows import block_row
from explorer.queries.blocks import latest_blocks
from explorer.queries.results import BlockSummary
from explorer.services import Services
from indexer.daemonjson.words import coins
from indexer.errors import Refused
from indexer.store.codec import Document

TEST: Final = "test"
NETWORK_FACTS: Final = ("version", "protocolversion", "subversion", "timeoffset", "connections", "relayfee", "warnings")


async def newest(view: View) -> BlockSummary:
    """The tip's block."""
    return (await latest_blocks(view, limit=1)).items[0]


async def tip_row(view: View) -> Document:
    """The tip's row of ``blocks``."""
    return await block_row(view, view.tip.height)


async def network_facts(s: Services) -> Mapping[str, Any]:
    """What the daemon says of itself and its peers; what the indexer last heard where it does not answer.

    Asked once for a tip, and not at all while the indexer does not reach the daemon.
    """
    heard = s.db.meta.daemon
    tip = s.db.meta.tip
    if tip is not None and s.daemon.is_configured and heard.get("reachable", True):

        async def ask() -> Answer[Mapping[str, Any]]:
            found = await s.daemon.call("getnetworkinfo")
            if not isinstance(found, dict):
                raise UpstreamUnavailable("the daemon answered with no network info: ask again later")
            return Answer(found, tip)

        try:
            told = (await s.shared.get("network facts", tip, ask)).value
            return {name: told[name] for name in NETWORK_FACTS if name in told}
        except (UpstreamUnavailable, Refused):
            pass
    return {name: heard[name] for name in ("version", "connections") if heard.get(name) is not None}


async def overview(s: Services) -> Answer[dict[str, Any]]:
    """``getinfo``: blocks and difficulty of the index, the rest as the daemon says; unknown keys are left out."""
    found = await s.db.fenced(newest)
    facts = await network_facts(s)
    shown: dict[str, Any] = {name: facts[name] for name in ("version", "protocolversion") if name in facts}
    shown["blocks"] = found.value.height
    shown |= {name: facts[name] for name in ("timeoffset", "connections") if name in facts}
    shown |= {"proxy": "", "difficulty": found.value.difficulty, "testnet": s.network.name == TEST}
    if "relayfee" in facts:
        shown["relayfee"] = coins(round(facts["relayfee"] * 10**8))
    return Answer(shown | {"errors": facts.get("warnings", "")}, found.tip)
