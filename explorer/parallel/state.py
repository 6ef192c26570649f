"""The one document that says what is known of the parallel chains, and what it means.

It is one document so that it changes in one moment, together with its revision: whoever shows a part of it shows the
whole of one revision. What only the readers need (when to ask again, who is asking) changes without a new revision.

::

    {_id: "state", revision, due, owner, cut_stale,
     cut: {height, hash, time, outstanding: {eth: …}},
     chains: {eth: {of, minted, held: […], time, block, state, reason, due, failures, failed, rest: […]}}}
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from explorer.parallel.base import ChainState, Cut, Parallel, ParallelChain, Reading
from explorer.parallel.chains import ChainsFile

PARALLEL_READINGS: Final = "parallel_readings"
STATE_ID: Final = "state"
NOT_READ: Final = "it has not been read yet"

Document = Mapping[str, Any]


def fingerprint(chain: ParallelChain) -> str:
    """What a reading is a reading of: contract, decimals and issuers; another one makes what is kept worthless."""
    parts = [chain.kind, chain.contract, str(chain.decimals), *(issuer.address for issuer in chain.issuers)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def read_parallel(document: Document | None, chains: ChainsFile) -> Parallel:
    """What is known of the chains of the settings; nothing before the first reading."""
    stored = {} if document is None else document
    states = tuple(chain_state(chain, stored.get("chains", {}).get(chain.key)) for chain in chains.chains)
    cut = None if any(known.reading is None for known in states) else _cut(stored.get("cut"), chains)
    return Parallel(stored.get("revision", 0), states, cut, chains.mining_from, stored.get("cut_stale", False))


def chain_state(chain: ParallelChain, stored: Document | None) -> ChainState:
    """A chain with the reading that is kept of it, unless the settings name other addresses since."""
    if stored is None or stored.get("of") != fingerprint(chain):
        return ChainState(chain, None, "unavailable", NOT_READ)
    reading = None
    if "time" in stored:
        reading = Reading(stored["minted"], tuple(stored["held"]), stored["time"], stored["block"])
    return ChainState(chain, reading, stored["state"], stored["reason"])


def chain_row(stored: Document | None, chain: ParallelChain) -> Document:
    """What is kept of a chain; empty when it is of other addresses."""
    return stored if stored is not None and stored.get("of") == fingerprint(chain) else {}


def reading_fields(reading: Reading) -> dict[str, Any]:
    """The fields that keep a reading."""
    return {"minted": reading.minted, "held": list(reading.held), "time": reading.time, "block": reading.block}


def cut_fields(cut: Cut) -> dict[str, Any]:
    """The document that keeps a cut."""
    return {
        "height": cut.height,
        "hash": cut.hash,
        "time": cut.time,
        "outstanding": dict(cut.outstanding),
    }


def _cut(stored: Document | None, chains: ChainsFile) -> Cut | None:
    """The kept cut; None when it is not one of exactly the chains of the settings."""
    if stored is None or stored["outstanding"].keys() != {chain.key for chain in chains.chains}:
        return None
    outstanding = tuple((chain.key, stored["outstanding"][chain.key]) for chain in chains.chains)
    return Cut(stored["height"], bytes(stored["hash"]), stored["time"], outstanding)
