"""What results mean, in plain words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from explorer.errors import BadRequest
from explorer.labels import Confidence
from explorer.pages.formats import count, flux, group
from explorer.queries.movements import Category
from explorer.queries.results import Block, Delegates, NodeEvent, Shielded, Transaction
from explorer.queries.search import named_output, names_ip, names_pubkey
from explorer.queries.status_results import Index, Status, Unchecked
from explorer.queries.text import address_key
from explorer.queries.units import FundName, Kind
from indexer.chain.params import Network

FINAL: Final = 10  # confirmations after which a badge turns green

KINDS: Final[Mapping[Kind, str]] = {
    "coinbase": "Coinbase",
    "transfer": "Transfer",
    "node_start": "Node start",
    "node_confirm": "Node confirmation",
}
UNCHECKED: Final[Mapping[Unchecked | None, str]] = {
    None: "not compared yet",
    "no_daemon": "not compared: blocks come from a gateway, there is no daemon",
    "switched_off": "not compared: switched off in the settings",
}
"""Why a comparison with the daemon has no verdict, or no newer one."""

FUNDS: Final[Mapping[FundName, str]] = {
    "dev_fund": "Development fund",
    "exchange": "Exchange fund",
    "foundation": "Foundation",
    "swap_pool": "Swap pool",
    "miner": "Miner",
    "other": "Other output",
}
CATEGORIES: Final[Mapping[Category, str]] = {
    "payout_cumulus": "Cumulus payout",
    "payout_nimbus": "Nimbus payout",
    "payout_stratus": "Stratus payout",
    "mined": "Mined",
    "fund": "Paid to a fund",
    "received": "Received",
    "sent": "Sent",
    "self": "To itself",
    "shielded_in": "Into the shielded pool",
    "shielded_out": "Out of the shielded pool",
}
CONFIDENCES: Final[Mapping[Confidence, str]] = {
    "consensus": "Paid by the rules of the chain",
    "official": "Named by its owner",
    "third_party": "Named by others",
}
EVENTS: Final = {"start": "Node start", "confirm": "First confirmation", "update": "Confirmation"}

_HASH = re.compile(r"[0-9a-fA-F]{64}\Z")
_HEX = re.compile(r"[0-9a-fA-F]{16,}\Z")
_SHIELDED = re.compile(r"z[a-z]*1?[a-zA-Z0-9]{40,}\Z")
_FOREIGN: Final = (
    (re.compile(r"0x[0-9a-fA-F]{40}\Z"), "Ethereum or a chain like it"),
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
        return Badge("poor", "Orphaned")
    if confirmations == 0:
        return Badge("poor", "Unconfirmed")
    return Badge("good" if confirmations >= FINAL else "fair", count(confirmations, "confirmation"))


def index_badge(index: Index) -> Badge:
    """How the index keeps up, in a word."""
    if index.behind is None:
        return Badge("fair", "Daemon not heard")
    if index.state == "following":
        return Badge("good", "Following the chain")
    return Badge("fair", "Catching up") if index.state == "catching_up" else Badge("poor", "Stalled")


def index_sentence(status: Status, tip: int) -> str:
    """How the index keeps up, in a sentence."""
    index = status.index
    if index.behind is None:
        return f"The index is at block {group(tip)}. The daemon has not been heard since the index was opened."
    if index.state == "stalled":
        return (
            f"The daemon is {count(index.behind, 'block')} ahead, and nothing has been indexed for two minutes: "
            "the indexer needs a look."
        )
    if index.behind == 0:
        return f"The index is at block {group(tip)}, the same as the daemon."
    return f"The index is at block {group(tip)}, {count(index.behind, 'block')} behind the daemon."


def producer_sentence(block: Block) -> str:
    """Who made a block."""
    if block.producer_kind == "node":
        return "Produced by a node chosen by proof of node."
    if block.producer_kind == "emergency":
        return "An emergency block, signed with the emergency keys because no node produced one."
    if block.producer_kind == "test":
        return "A test block of this network: no node signed it."
    return "The first block: it pays nobody." if block.height == 0 else "Mined by proof of work."


def event_sentence(event: NodeEvent) -> str:
    """What a node transaction does."""
    tier = event.tier.capitalize()
    if event.event == "start":
        kind = {"p2pkh": "", "p2sh": ", with collateral behind a script", "foundation": " of the foundation"}
        return f"Registers a {tier} node{kind[event.payee_type]}. Before it is paid it needs its first confirmation."
    if event.event == "confirm":
        return f"Confirms a {tier} node for the first time after its start: from here on it queues for payouts."
    return f"Keeps a {tier} node confirmed. Nodes have to repeat this, or they expire and lose their place."


def delegates_sentence(delegates: Delegates) -> str:
    """What the delegates section of a start says."""
    if delegates.type == "signing":
        return "Started by a delegate, not by the owner's key."
    if not delegates.keys:
        return "Names no delegates."
    return f"Allows {count(len(delegates.keys), 'delegate key')} to start this node."


def shielded_sentence(shielded: Shielded) -> str:
    """The shielded part of a transaction in one line."""
    counts = [
        count(number, noun)
        for number, noun in (
            (shielded.joinsplits, "JoinSplit"),
            (shielded.spends, "Sapling spend"),
            (shielded.outputs, "Sapling output"),
        )
        if number
    ]
    flows = [
        f"{flux(value)} {what}"
        for value, what in (
            (shielded.sprout_in, "into the Sprout pool"),
            (shielded.sprout_out, "out of the Sprout pool"),
            (max(0, -shielded.sapling_value_balance), "into the Sapling pool"),
            (max(0, shielded.sapling_value_balance), "out of the Sapling pool"),
        )
        if value
    ]
    return f"{', '.join(counts)}: {', '.join(flows) or 'nothing crosses into or out of the pool'}."


def moved(transaction: Transaction) -> int:
    """What a transaction moves: its outputs, without what returns to an address that paid in; zatoshi."""
    senders = {spent.address for spent in transaction.inputs if spent.address}
    return sum(output.value for output in transaction.outputs if output.address not in senders)


def described(text: str, network: Network, tip: int | None) -> str:
    """What a text that was not found looks like, and what to do about it."""
    if _HASH.match(text):
        return "It has the form of a block hash or a transaction id, but this chain has none with it."
    if named_output(text) is not None:
        return "It has the form of an output, but this chain has no transaction with that id."
    if names_pubkey(text):
        return "It has the form of a public key, but no node has it."
    if _HEX.match(text):
        return f"It is {len(text)} hex digits; a hash or a transaction id has 64. Was a part lost in copying?"
    if names_ip(text):
        return "It is an IP address, but no node has signed it in its last confirmation."
    if _DIGITS.match(text) and tip is not None:
        return f"It is a number, and the newest block here is {group(tip)}."
    if _SHIELDED.match(text):
        return "It looks like a shielded address. By design, the chain shows neither its balance nor its payments."
    for shape, owner in _FOREIGN:
        if shape.match(text):
            return f"It has the form of an address of {owner}, which is another chain: nothing of it can be found here."
    try:
        address_key(text, network)
    except BadRequest as error:
        return f"Read as an address: {error}."
    return "It is a valid address of this network."
