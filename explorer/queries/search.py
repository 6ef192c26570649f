"""Search: whatever people paste — heights, hashes, addresses, outpoints, IPs, keys, tiers, dates, ``tip``."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Final, Literal
from urllib.parse import urlencode

from explorer.db import View
from explorer.errors import BadRequest, NotFound
from explorer.labels import NO_LABELS, Label, Labels
from explorer.languages.phrases import Phrase
from explorer.queries.blocks import block
from explorer.queries.nodes import Wanted, node_list
from explorer.queries.reductions import begun_eras, next_reduction
from explorer.queries.running import first_reaching
from explorer.queries.text import address_key
from explorer.queries.transactions import FullIds, transaction
from explorer.queries.units import TIERS
from indexer.chain.keys import hash_text, outpoint_text, parse_hash, parse_outpoint
from indexer.chain.params import Network

LONGEST = 200
SHORTEST_NAME = 3  # characters of a label: fewer name nothing in particular
MOST_NAMED = 50

_HEIGHT = re.compile(r"#?\s*(\d{1,3}(?:[,._'\u00a0\u202f ]\d{3})+|\d{1,12})\Z")
_HASH = re.compile(r"(?:0x)?([0-9a-f]{64})\Z", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?)?\Z")
_PUBKEY = re.compile(r"(?:0[23][0-9a-f]{64}|04[0-9a-f]{128})\Z", re.IGNORECASE)
_OUTPUT = re.compile(r"(?:0x)?([0-9a-f]{64})(?:\s*[,/#]\s*|\s+)(?:vout=|out[-=]|n=)?(\d{1,10})\Z", re.IGNORECASE)
_SEPARATORS = re.compile(r"\D")


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that a search found and the path of its page."""

    kind: Literal["block", "transaction", "address", "outpoint", "node", "nodes", "page"]
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Hits:
    """What a search found, best first."""

    items: tuple[Hit, ...]


TIER_HITS: Final[Mapping[str, Hit]] = {
    tier: Hit("nodes", Phrase("Queue of the %(tier)s nodes", tier=tier.capitalize()), f"/nodes/{tier}")
    for tier in TIERS
}
CUTS: Final = ("halving", "halvings", "cut", "cuts", "reduction", "reductions")


async def search(view: View, text: str, full_ids: FullIds, labels: Labels = NO_LABELS) -> Hits:
    """What a text names, best first; no items when it names nothing on this chain.

    A date means the first block at or after it, by the running maximum of block times (UTC by default).
    """
    text = text.strip()
    if not text or len(text) > LONGEST:
        raise BadRequest(Phrase("q has %(number)s characters: expected 1 to %(most)s", number=len(text), most=LONGEST))
    if text.lower() == "tip":
        return Hits((_block_hit(view.tip.height),))
    if match := _HEIGHT.match(text):
        height = int(_SEPARATORS.sub("", match[1]))
        return Hits((_block_hit(height),) if height <= view.tip.height else ())
    if match := _HASH.match(text):
        return Hits(await _by_hash(view, parse_hash(match[1]), full_ids))
    if (point := named_output(text)) is not None:
        return Hits(await _by_outpoint(view, point, full_ids))
    if _DATE.match(text) and (moment := _moment(text)) is not None:
        height_then = await first_at(view, int(moment.timestamp()))
        since = Phrase("first block since %(date)s", date=text)
        return Hits(() if height_then is None else (_block_hit(height_then, since),))
    if (queue := TIER_HITS.get(text.lower())) is not None:
        return Hits((queue,))
    if text.lower() in CUTS:
        return Hits(tuple(_cuts(view)))
    if _PUBKEY.match(text):
        return Hits(await _by_node_field(
            view, "pubkey", text.lower(), Phrase("Nodes with the public key %(key)s", key=f"{text[:12]}…")
        ))
    if names_ip(text):
        return Hits(await _by_node_field(view, "ip", text, Phrase("Nodes at %(ip)s", ip=text)))
    return Hits(_by_address(view, text) or _by_label(labels, text))


def named_output(text: str) -> bytes | None:
    """The outpoint that a text names, in one of the spellings of explorers, daemons and wallets."""
    if (match := _OUTPUT.match(text.strip())) is not None:
        text = f"{match[1]}:{match[2]}"
    return parse_outpoint(text)


def names_address(text: str, network: Network) -> bool:
    """Whether a text is a transparent address of the network."""
    try:
        address_key(text, network)
    except BadRequest:
        return False
    return True


def names_pubkey(text: str) -> bool:
    """Whether a text has the form of a public key in hex."""
    return _PUBKEY.match(text) is not None


def names_ip(text: str) -> bool:
    """Whether a text is an IP address, with or without a port."""
    host, _, port = text.rpartition(":")
    bare = host if port.isdecimal() and ("." in host or host.endswith("]")) else text
    try:
        ip_address(bare.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


async def first_at(view: View, time: int) -> int | None:
    """The first height whose running maximum of block times reaches ``time`` (Unix seconds), or None."""
    return await first_reaching(view, "max_time", time)


def _cuts(view: View) -> Iterator[Hit]:
    """The next change of the subsidy, and the block of the last one."""
    height = view.tip.height
    if (coming := next_reduction(view.network, height, view.tip.time)) is not None:
        label = Phrase(
            "Next: %(era)s at block %(height)s, %(blocks)s blocks from here",
            era=coming.name, height=coming.height, blocks=coming.blocks,
        )  # fmt: skip
        yield Hit("page", label, f"/network?at={height}")
    latest = begun_eras(view.network, height)[-1]
    yield _block_hit(latest.first_height, Phrase("the first of %(era)s", era=latest.name))


def _block_hit(height: int, note: str = "") -> Hit:
    return Hit("block", _block_label(height, note), f"/block/{height}")


def _block_label(height: int, note: str) -> Phrase:
    if not note:
        return Phrase("Block %(height)s", height=height)
    return Phrase("Block %(height)s, %(note)s", height=height, note=note)


def _transaction_hit(txid: str) -> Hit:
    return Hit("transaction", Phrase("Transaction %(txid)s", txid=txid), f"/tx/{txid}")


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def _by_hash(view: View, digest: bytes, full_ids: FullIds) -> tuple[Hit, ...]:
    """A block, active or orphaned, or a transaction; Syncing only when it could be either."""
    found, mined = await asyncio.gather(
        block(view, digest), transaction(view, digest, full_ids), return_exceptions=True
    )
    if not isinstance(found, BaseException):
        label = _block_label(found.height, Phrase("orphaned") if found.confirmations < 0 else "")
        return (Hit("block", label, f"/block/{found.hash}"),)
    if not isinstance(mined, BaseException):
        return (_transaction_hit(mined.txid),)
    for error in (found, mined):
        if not isinstance(error, NotFound):
            raise error
    return ()


async def _by_node_field(view: View, field: str, text: str, label: Phrase) -> tuple[Hit, ...]:
    """The list of the nodes with an IP or a key; straight to the node when it is the only one."""
    page = await node_list(view, Wanted(**{field: text}), limit=2)
    if not page.items:
        return ()
    if len(page.items) == 1:
        return (_node_hit(page.items[0].node),)
    return (Hit("nodes", label, f"/nodes?{urlencode({field: text})}"),)


def _node_hit(outpoint: str) -> Hit:
    return Hit("node", Phrase("Node %(collateral)s", collateral=outpoint), f"/node/{outpoint}")


async def _by_outpoint(view: View, point: bytes, full_ids: FullIds) -> tuple[Hit, ...]:
    """The node with this collateral, and the output itself."""
    node, output = await asyncio.gather(view.one("nodes", {"outpoint": point}), _output(view, point, full_ids))
    return output if node is None else (_node_hit(outpoint_text(point)), *output)


async def _output(view: View, point: bytes, full_ids: FullIds) -> tuple[Hit, ...]:
    try:
        mined = await transaction(view, point[:32], full_ids)
    except NotFound:
        return ()
    label = Phrase("Output %(outpoint)s", outpoint=outpoint_text(point))
    return (
        (Hit("outpoint", label, f"/tx/{hash_text(point[:32])}"),) if mined.outputs else (_transaction_hit(mined.txid),)
    )


def _by_address(view: View, text: str) -> tuple[Hit, ...]:
    if not names_address(text, view.network):
        return ()
    return (Hit("address", Phrase("Address %(address)s", address=text), f"/address/{text}"),)


def _by_label(labels: Labels, text: str) -> tuple[Hit, ...]:
    """The addresses whose label has the text in it, those first that are called exactly so."""
    named = labels.named(text) if len(text) >= SHORTEST_NAME else ()
    exact_first = sorted(named, key=lambda label: label.text.casefold() != text.casefold())
    return tuple(map(_label_hit, exact_first[:MOST_NAMED]))


def _label_hit(label: Label) -> Hit:
    return Hit("address", f"{label.text}: {label.address}", f"/address/{label.address}")
