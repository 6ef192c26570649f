"""What results mean, in plain words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from explorer.errors import BadRequest
from explorer.labels import Confidence
from explorer.languages import N_, Marked, _, ngettext
from explorer.languages.phrases import said
from explorer.pages.formats import count, flux, group
from explorer.queries.movements import Category
from explorer.queries.results import Block, Delegates, NodeEvent, Shielded, Transaction
from explorer.queries.search import named_output, names_ip, names_pubkey
from explorer.queries.status_results import Progress, Unchecked
from explorer.queries.text import address_key
from explorer.queries.units import FundName, Kind
from indexer.chain.params import Network

FINAL: Final = 10  # confirmations after which a badge turns green

KINDS: Final[Mapping[Kind, str]] = Marked({
    "coinbase": N_("Coinbase"),
    "transfer": N_("Transfer"),
    "node_start": N_("Node start"),
    "node_confirm": N_("Node confirmation"),
})  # fmt: skip
UNCHECKED: Final[Mapping[Unchecked | None, str]] = Marked({
    None: N_("not compared yet"),
    "no_daemon": N_("not compared: blocks come from a gateway, there is no daemon"),
    "switched_off": N_("not compared: switched off in the settings"),
})  # fmt: skip
"""Why a comparison with the daemon has no verdict, or no newer one."""

FUNDS: Final[Mapping[FundName, str]] = Marked({
    "dev_fund": N_("Development fund"),
    "exchange": N_("Exchange fund"),
    "foundation": N_("Foundation"),
    "swap_pool": N_("Swap pool"),
    "miner": N_("Miner"),
    "other": N_("Other output"),
})  # fmt: skip
CATEGORIES: Final[Mapping[Category, str]] = Marked({
    "payout_cumulus": N_("Cumulus payout"),
    "payout_nimbus": N_("Nimbus payout"),
    "payout_stratus": N_("Stratus payout"),
    "mined": N_("Mined"),
    "fund": N_("Paid to a fund"),
    "received": N_("Received"),
    "sent": N_("Sent"),
    "self": N_("To itself"),
    "shielded_in": N_("Into the shielded pool"),
    "shielded_out": N_("Out of the shielded pool"),
})  # fmt: skip
CONFIDENCES: Final[Mapping[Confidence, str]] = Marked({
    "consensus": N_("Paid by the rules of the chain"),
    "official": N_("Named by its owner"),
    "third_party": N_("Named by others"),
})  # fmt: skip
EVENTS: Final[Mapping[str, str]] = Marked({
    "start": N_("Node start"),
    "confirm": N_("First confirmation"),
    "update": N_("Confirmation"),
})  # fmt: skip

_HASH = re.compile(r"[0-9a-fA-F]{64}\Z")
_HEX = re.compile(r"[0-9a-fA-F]{16,}\Z")
_SHIELDED = re.compile(r"z[a-z]*1?[a-zA-Z0-9]{40,}\Z")
_FOREIGN: Final = (
    (re.compile(r"0x[0-9a-fA-F]{40}\Z"), N_("Ethereum or a chain like it")),
    (re.compile(r"(?:bc1|tb1)[02-9ac-hj-np-z]{6,87}\Z", re.IGNORECASE), "Bitcoin"),
    (re.compile(r"ltc1[02-9ac-hj-np-z]{6,87}\Z", re.IGNORECASE), "Litecoin"),
    (re.compile(r"[13][1-9A-HJ-NP-Za-km-z]{25,34}\Z"), "Bitcoin"),
    (re.compile(r"T[1-9A-HJ-NP-Za-km-z]{33}\Z"), "Tron"),
    (re.compile(r"9[1-9A-HJ-NP-Za-km-z]{50}\Z"), "Ergo"),
    (re.compile(r"[kw]:[0-9a-f]{64}"), "Kadena"),
    (re.compile(r"[A-Z2-7]{58}\Z"), "Algorand"),
    (re.compile(r"[1-9A-HJ-NP-Za-km-z]{43,44}\Z"), "Solana"),
)
"""What addresses of chains look like on which people look for their coins, or hold Flux of another kind."""

_DIGITS = re.compile(r"#?[\d,._' ]+\Z")


@dataclass(frozen=True, slots=True)
class Badge:
    """A state in one or two words; ``tone`` is good, fair, poor or plain, and never the only sign."""

    tone: str
    text: str


def settled(confirmations: int) -> Badge:
    """How deep a block or transaction lies."""
    if confirmations < 0:
        return Badge("poor", _("Orphaned"))
    if confirmations == 0:
        return Badge("poor", _("Unconfirmed"))
    return Badge("good" if confirmations >= FINAL else "fair", count(confirmations, "confirmation"))


def index_badge(index: Progress) -> Badge:
    """How the index keeps up, in a word."""
    if index.behind is None:
        return Badge("fair", _("Daemon not heard"))
    if index.state == "following":
        return Badge("good", _("Following the chain"))
    return Badge("fair", _("Catching up")) if index.state == "catching_up" else Badge("poor", _("Stalled"))


def index_sentence(index: Progress, tip: int) -> str:
    """How the index keeps up, in a sentence."""
    behind, height = index.behind, group(tip)
    if behind is None:
        return _(
            "The index is at block %(height)s. The daemon has not been heard since the index was opened.",
            height=height,
        )
    if index.state == "stalled":
        return ngettext(
            "The daemon is %(num)s block ahead, and nothing has been indexed for two minutes: the indexer needs a "
            "look.",
            "The daemon is %(num)s blocks ahead, and nothing has been indexed for two minutes: the indexer needs a "
            "look.",
            behind,
        )
    if behind == 0:
        return _("The index is at block %(height)s and follows the daemon.", height=height)
    return ngettext(
        "The index is at block %(height)s, %(num)s block behind the daemon.",
        "The index is at block %(height)s, %(num)s blocks behind the daemon.",
        behind, height=height,
    )  # fmt: skip


def producer_sentence(block: Block) -> str:
    """Who made a block."""
    if block.producer_kind == "node":
        return _("Produced by a node chosen by proof of node.")
    if block.producer_kind == "emergency":
        return _("An emergency block, signed with the emergency keys because no node produced one.")
    if block.producer_kind == "test":
        return _("A test block of this network: no node signed it.")
    return _("The first block: it pays nobody.") if block.height == 0 else _("Mined by proof of work.")


STARTS: Final[Mapping[str, str]] = {
    "p2pkh": N_("Registers a %(tier)s node. Before it is paid it needs its first confirmation."),
    "p2sh": N_(
        "Registers a %(tier)s node, with collateral behind a script. Before it is paid it needs its first confirmation."
    ),
    "foundation": N_(
        "Registers a %(tier)s node of the foundation. Before it is paid it needs its first confirmation."
    ),
}  # fmt: skip


def event_sentence(event: NodeEvent) -> str:
    """What a node transaction does."""
    tier = event.tier.capitalize()
    if event.event == "start":
        return _(STARTS[event.payee_type], tier=tier)
    if event.event == "confirm":
        return _(
            "Confirms a %(tier)s node for the first time after its start: from here on it queues for payouts.",
            tier=tier,
        )
    return _(
        "Keeps a %(tier)s node confirmed. Nodes have to repeat this, or they expire and lose their place.", tier=tier
    )


def delegates_sentence(delegates: Delegates) -> str:
    """What the delegates section of a start says."""
    if delegates.type == "signing":
        return _("Started by a delegate, not by the owner's key.")
    if not delegates.keys:
        return _("Names no delegates.")
    return ngettext(
        "Allows %(num)s delegate key to start this node.", "Allows %(num)s delegate keys to start this node.",
        len(delegates.keys),
    )  # fmt: skip


def shielded_sentence(shielded: Shielded) -> str:
    """The shielded part of a transaction in one line."""
    counts = (
        ngettext("%(num)s JoinSplit", "%(num)s JoinSplits", shielded.joinsplits) if shielded.joinsplits else "",
        ngettext("%(num)s Sapling spend", "%(num)s Sapling spends", shielded.spends) if shielded.spends else "",
        ngettext("%(num)s Sapling output", "%(num)s Sapling outputs", shielded.outputs) if shielded.outputs else "",
    )
    flows = (
        _(message, amount=flux(value))
        for value, message in (
            (shielded.sprout_in, N_("%(amount)s into the Sprout pool")),
            (shielded.sprout_out, N_("%(amount)s out of the Sprout pool")),
            (max(0, -shielded.sapling_value_balance), N_("%(amount)s into the Sapling pool")),
            (max(0, shielded.sapling_value_balance), N_("%(amount)s out of the Sapling pool")),
        )
        if value
    )
    crossing = ", ".join(flows) or _("nothing crosses into or out of the pool")
    return _("%(parts)s: %(flows)s.", parts=", ".join(filter(None, counts)), flows=crossing)


def moved(transaction: Transaction) -> int:
    """What a transaction moves: its outputs, without what returns to an address that paid in; zatoshi."""
    senders = {spent.address for spent in transaction.inputs if spent.address}
    return sum(output.value for output in transaction.outputs if output.address not in senders)


def described(text: str, network: Network, tip: int | None) -> str:
    """What a text that was not found looks like, and what to do about it."""
    if _HASH.match(text):
        return _("It has the form of a block hash or a transaction id, but this chain has none with it.")
    if named_output(text) is not None:
        return _("It has the form of an output, but this chain has no transaction with that id.")
    if names_pubkey(text):
        return _("It has the form of a public key, but no node has it.")
    if _HEX.match(text):
        return _(
            "It is %(number)s hex digits; a hash or a transaction id has 64. Was a part lost in copying?",
            number=len(text),
        )
    if names_ip(text):
        return _("It is an IP address, but no node has signed it in its last confirmation.")
    if _DIGITS.match(text) and tip is not None:
        return _("It is a number, and the newest block here is %(height)s.", height=group(tip))
    return _described_address(text, network)


def _described_address(text: str, network: Network) -> str:
    """What a text looks like that can only be meant as an address."""
    if _SHIELDED.match(text):
        return _("It looks like a shielded address. By design, the chain shows neither its balance nor its payments.")
    for shape, owner in _FOREIGN:
        if shape.match(text):
            return _(
                "It has the form of an address of %(chain)s, which is another chain: nothing of it can be found here.",
                chain=_(owner),
            )
    try:
        address_key(text, network)
    except BadRequest as error:
        return _("Read as an address: %(problem)s.", problem=said(error.message))
    return _("It is a valid address of this network.")
