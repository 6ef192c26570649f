"""Suggestions while somebody types into the search: what the text names, and what begins with it. Cheap and bounded."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from typing import Final

from explorer.db import View
from explorer.errors import BadRequest, ExplorerError, UpstreamUnavailable
from explorer.labels import Labels
from explorer.languages.phrases import Phrase
from explorer.queries.search import LONGEST, TIER_HITS, Hit, Hits, search
from explorer.queries.text import address_text
from indexer.chain.address import keys_beginning_with
from indexer.chain.keys import outpoint_text

MOST: Final = 8
MOST_OF_A_KIND: Final = 5
SHORTEST: Final = 2
SHORTEST_ADDRESS: Final = 4
SHORTEST_IP: Final = 3

_IP_BEGINNING = re.compile(r"\[?[0-9a-fA-F]{0,4}[.:][0-9a-fA-F.:]*\]?(?::\d{1,5})?\Z")
WORDS: Final = ("tip", "halving", "cut")


async def suggestions(view: View, text: str, labels: Labels) -> Hits:
    """What a text names or begins, at most eight, best first; nothing for less than two characters."""
    text = text.strip()
    if len(text) > LONGEST:
        raise BadRequest(f"q has {len(text)} characters: expected at most {LONGEST}")
    if len(text) < SHORTEST:
        return Hits(())
    found = {hit.url: hit for hit in await _named(view, text, labels)}
    for hit in _words(text):
        found.setdefault(hit.url, hit)
    async for hit in _beginning(view, text):
        found.setdefault(hit.url, hit)
    return Hits(tuple(found.values())[:MOST])


async def _named(view: View, text: str, labels: Labels) -> Sequence[Hit]:
    """The hits of a search, without asking the daemon; nothing while they cannot be told."""
    try:
        return (await search(view, text, _no_daemon, labels)).items
    except ExplorerError:
        return ()


async def _no_daemon(block_hash: str) -> Sequence[bytes]:
    raise UpstreamUnavailable("suggestions do not ask the daemon")


def _words(text: str) -> list[Hit]:
    lower = text.lower()
    hits = [hit for name, hit in TIER_HITS.items() if name.startswith(lower)]
    words = [word for word in WORDS if word.startswith(lower) and word != lower]
    return [*hits, *(Hit("page", Phrase("Search for %(word)s", word=word), f"/search?q={word}") for word in words)]


async def _beginning(view: View, text: str) -> AsyncIterator[Hit]:
    if len(text) >= SHORTEST_ADDRESS and (span := keys_beginning_with(text, view.network)) is not None:
        for key in await _addresses(view, *span):
            address = address_text(key, view.network)
            yield Hit("address", Phrase("Address %(address)s", address=address), f"/address/{address}")
    if len(text) >= SHORTEST_IP and _IP_BEGINNING.match(text):
        where = {"ip": {"$regex": f"^{re.escape(text)}"}}
        for row in await view.many("nodes", where, sort=[("ip", 1)], limit=MOST_OF_A_KIND, fields=("outpoint", "ip")):
            point = outpoint_text(bytes(row["outpoint"]))
            yield Hit("node", Phrase("Node at %(ip)s", ip=row["ip"]), f"/node/{point}")


async def _addresses(view: View, first: bytes, last: bytes) -> list[bytes]:
    """The address keys of a range that the chain knows: one read each, however much happened to them."""
    found: list[bytes] = []
    beyond = {"$gte": first + bytes(4)}
    while len(found) < MOST_OF_A_KIND:
        row = await view.one("ledger", {"_id": {**beyond, "$lte": last + b"\xff" * 4}}, sort=[("_id", 1)])
        if row is None:
            break
        key, height = bytes(row["_id"])[:-4], int.from_bytes(bytes(row["_id"])[-4:], "big")
        if height <= view.tip.height:
            found.append(key)
        beyond = {"$gt": key + b"\xff" * 4}
    return found
