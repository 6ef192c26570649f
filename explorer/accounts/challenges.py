"""Challenges: texts to be signed that name the site, the address, the purpose and the time; each is good once."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from explorer.accounts.signers import has_signed, read_signer
from explorer.db import Database
from explorer.errors import BadRequest, Forbidden, RateLimited
from explorer.languages.phrases import Phrase
from indexer.chain.params import Network
from indexer.store.schema import CHALLENGES

Purpose = Literal["site", "program"]

MINUTES: Final = 5
MOST: Final = 10_000  # that wait for an answer, of all clients together
MOST_PER_CLIENT: Final = 30  # in as many minutes as one is good for: an office behind one address signs in too
MOST_CLIENTS: Final = 10_000  # remembered at once
WORDS: Final[dict[Purpose, str]] = {"site": "Sign in to", "program": "Let a program use my account of"}


@dataclass(frozen=True, slots=True)
class Challenge:
    """A text to sign; ``until`` is when it expires, Unix seconds."""

    nonce: str
    message: str
    until: int


class Pace:
    """How often each client has asked lately; the clients that asked least lately are forgotten first."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds, self._clock = seconds, clock
        self._asked: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, client: str, most: int) -> None:
        """Note a question; RateLimited when there were ``most`` already."""
        now, asked = self._clock(), self._asked.setdefault(client, deque())
        self._asked.move_to_end(client)
        while asked and asked[0] <= now - self._seconds:
            asked.popleft()
        if len(asked) >= most:
            raise RateLimited(
                Phrase("%(most)s challenges were asked for from here in a few minutes: wait a little", most=most)
            )
        asked.append(now)
        if len(self._asked) > MOST_CLIENTS:
            self._asked.popitem(last=False)


class Challenges:
    """Makes challenges and takes their answers; ``clock`` gives Unix seconds."""

    def __init__(self, database: Database, network: Network, clock: Callable[[], float] = time.time) -> None:
        self._database, self._network, self._clock = database, network, clock
        self._pace = Pace(60.0 * MINUTES, clock)

    async def make(self, purpose: Purpose, address: str, site: str, client: str) -> Challenge:
        """A new challenge for an address at a host; BadRequest for an address that cannot sign, RateLimited."""
        read_signer(address, self._network)
        self._pace.take(client, MOST_PER_CLIENT)
        journal, now = self._database.journal, self._clock()
        await journal.remove(CHALLENGES.name, {"until": {"$lte": int(now * 1000)}})
        if await journal.count(CHALLENGES.name, {}) >= MOST:
            raise RateLimited(Phrase("too many people are signing in just now: try again in a few minutes"))
        nonce, until = secrets.token_hex(16), now + 60 * MINUTES
        message = worded(purpose, address, site, int(now), nonce)
        row = {"_id": nonce, "purpose": purpose, "account": address, "site": site, "message": message}
        await journal.put(CHALLENGES.name, [row | {"until": int(until * 1000)}])
        return Challenge(nonce, message, int(until))

    async def answer(self, purpose: Purpose, nonce: str, address: str, signature: str, site: str) -> None:
        """Take the answer to a challenge, which is used up by it; raises unless the key of the address signed it.

        BadRequest when the challenge is not known for this address, purpose and host, Forbidden for another signature.
        """
        where = {"_id": nonce, "purpose": purpose, "account": address, "site": site}
        found = await self._database.journal.take(CHALLENGES.name, where)
        if found is None or found["until"] <= self._clock() * 1000:
            raise BadRequest(Phrase(
                "this challenge is used, older than %(minutes)s minutes or not for this: ask for a new one",
                minutes=MINUTES,
            ))  # fmt: skip
        if not has_signed(self._network, address, signature, found["message"]):
            raise Forbidden(Phrase(
                "the signature is not one of this address for this text: ask for a new challenge and sign exactly "
                "it",
            ))  # fmt: skip


def worded(purpose: Purpose, address: str, site: str, now: int, nonce: str) -> str:
    """What is signed: one line of ASCII, so that no wallet and no form changes it."""
    asked = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f"{WORDS[purpose]} Flux Explorer at {site} as {address}. "
        f"Asked for {asked}, good once and for {MINUTES} minutes. {nonce}"
    )
