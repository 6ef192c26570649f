"""The book of accounts: what visitors keep, one document each, so that every bound and every removal is one moment."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from explorer.accounts.sessions import digest
from explorer.accounts.signers import read_signer
from explorer.db import Database
from explorer.errors import BadRequest, Forbidden, NotFound, NotSignedIn, RateLimited
from explorer.languages.phrases import Phrase
from explorer.queries.text import address_key
from indexer.chain.keys import outpoint_text, parse_outpoint
from indexer.chain.params import Network
from indexer.store.schema import ACCOUNTS, CHALLENGES, SESSIONS, WEBHOOKS

Kind = Literal["address", "node", "payee"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
MOST_WATCHES: Final = 200
LONGEST_NOTE: Final = 200  # characters
MOST_ACCOUNTS: Final = 100_000
EMPTY_SECONDS: Final = 30 * 86_400  # after which an account with nothing in it is forgotten
SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Watch:
    """An entry of a watch list; ``added`` in Unix seconds."""

    kind: Kind
    entry: str
    note: str
    added: int


@dataclass(frozen=True, slots=True)
class Account:
    """What somebody keeps here, webhooks aside; ``has_feed``: whether its watch list has an address of its own."""

    address: str
    created: int
    seen: int
    has_feed: bool
    watches: tuple[Watch, ...]

    def entries(self, *kinds: Kind) -> tuple[str, ...]:
        """The entries of some kinds in the order of the list, each once."""
        return tuple(dict.fromkeys(watch.entry for watch in self.watches if watch.kind in kinds))

    @property
    def notes(self) -> Mapping[str, str]:
        """The notes by entry, of those that have one."""
        return {watch.entry: watch.note for watch in self.watches if watch.note}


@dataclass(frozen=True, slots=True)
class Line:
    """An account as the operator sees it in the list: how much it keeps, and nothing of what."""

    address: str
    seen: int
    watches: int
    webhooks: int
    blocked: bool


class Accounts:
    """Reads and changes accounts; ``clock`` gives Unix seconds."""

    def __init__(self, database: Database, network: Network, clock: Callable[[], float] = time.time) -> None:
        self._database, self._network, self._clock = database, network, clock

    async def admit(self, address: str) -> None:
        """Note that an address signed in, and make its account if it is new; Forbidden for a blocked one."""
        journal, now = self._database.journal, int(self._clock())
        stored = await self._database.find_one(ACCOUNTS.name, {"_id": address}, ())
        if stored is not None and stored.get("blocked"):
            raise Forbidden(Phrase("this account is blocked: write to who runs this site"))
        if stored is None:
            await self._make_room(now)
        change = {"$set": {"seen": now}, "$setOnInsert": {"created": now, "watches": []}}
        await journal.change(ACCOUNTS.name, {"_id": address}, change, upsert=True)

    async def _make_room(self, now: int) -> None:
        """Forget accounts with nothing in them, unless they are blocked; RateLimited when too many are left."""
        gone: dict[str, Any] = {"seen": {"$lte": now - EMPTY_SECONDS}, "watches": [], "blocked": None, "feed": None}
        telling = await self._database.find(WEBHOOKS.name, {"account": {"$exists": True}}, fields=("account",))
        keep = sorted({row["account"] for row in telling})
        await self._database.journal.remove(ACCOUNTS.name, gone | {"_id": {"$nin": keep}})
        if await self._database.journal.count(ACCOUNTS.name, {}) >= MOST_ACCOUNTS:
            raise RateLimited(Phrase("this site keeps as many accounts as it can: write to who runs it"))

    async def read(self, address: str) -> Account:
        """An account; NotSignedIn when it is gone or blocked."""
        stored = await self._database.find_one(ACCOUNTS.name, {"_id": address, "blocked": None}, ())
        if stored is None:
            raise NotSignedIn(Phrase("this account is no longer here: sign in again"))
        return read_account(stored)

    async def watch(self, address: str, kind: str, entry: str, note: str) -> Watch:
        """Put an entry on the watch list, or write another note to it; BadRequest says what is wrong with it."""
        new = self.checked(kind, entry, note)
        same = {"watches": {"$elemMatch": {"kind": new.kind, "entry": new.entry}}}
        mine, journal = {"_id": address, "blocked": None}, self._database.journal
        if await journal.change(ACCOUNTS.name, mine | same, {"$set": {"watches.$.note": new.note}}):
            return new
        row = {"kind": new.kind, "entry": new.entry, "note": new.note, "added": new.added}
        room = {f"watches.{MOST_WATCHES - 1}": {"$exists": False}, "watches": {"$not": same["watches"]}}
        if not await journal.change(ACCOUNTS.name, mine | room, {"$push": {"watches": row}}):
            await self.read(address)
            raise BadRequest(Phrase("the watch list has %(most)s entries already: remove one first", most=MOST_WATCHES))
        return new

    def checked(self, kind: str, entry: str, note: str) -> Watch:
        """An entry as it is kept; BadRequest says what is wrong with it."""
        if kind not in KINDS:
            raise BadRequest(
                Phrase("kind is %(kind)s: expected one of %(known)s", kind=repr(kind[:20]), known=", ".join(KINDS))
            )
        written = read_note(note)
        text = entry.strip()
        if kind == "node":
            point = parse_outpoint(text)
            if point is None:
                raise BadRequest(
                    Phrase("%(text)s is no node: expected its collateral, <txid>:<n>", text=repr(text[:120]))
                )
            text = outpoint_text(point)
        else:
            address_key(text, self._network)
        return Watch(kind, text, written, int(self._clock()))

    async def unwatch(self, address: str, kind: str, entry: str) -> None:
        """Take an entry off the watch list; NotFound when it is not on it."""
        found = {"watches": {"$elemMatch": {"kind": kind, "entry": entry}}}
        change = {"$pull": {"watches": {"kind": kind, "entry": entry}}}
        if not await self._database.journal.change(ACCOUNTS.name, {"_id": address} | found, change):
            raise NotFound(Phrase("the watch list has no %(kind)s %(entry)s", kind=kind[:20], entry=repr(entry[:120])))

    async def open_feed(self, address: str) -> str:
        """A new secret for the address of the feed; the one before leads nowhere from now on."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        change = {"$set": {"feed": digest(secret)}}
        if not await self._database.journal.change(ACCOUNTS.name, {"_id": address, "blocked": None}, change):
            raise NotSignedIn(Phrase("this account is no longer here: sign in again"))
        return secret

    async def close_feed(self, address: str) -> None:
        """Let the address of the feed lead nowhere."""
        await self._database.journal.change(ACCOUNTS.name, {"_id": address}, {"$unset": {"feed": ""}})

    async def by_feed(self, secret: str) -> Account:
        """The account whose feed has a secret; NotFound when there is none."""
        stored = await self._database.find_one(ACCOUNTS.name, {"feed": digest(secret), "blocked": None}, ())
        if stored is None:
            raise NotFound(Phrase("this feed has been revoked, or never was: its account has the address of today's"))
        return read_account(stored)

    async def export(self, address: str) -> dict[str, Any]:
        """Everything that is kept of an account, as JSON has it; secrets of webhooks too, for they are its own."""
        account = await self._database.find_one(ACCOUNTS.name, {"_id": address}, ())
        if account is None:
            raise NotFound(Phrase("there is no account %(address)s", address=address))
        hooks = await self._database.find(WEBHOOKS.name, {"account": address}, (("_id", 1),))
        sessions = await self._database.find(SESSIONS.name, {"account": address}, (("begun", 1),))
        waiting = await self._database.find(CHALLENGES.name, {"account": address}, (("until", 1),))
        told = {"account": account, "webhooks": hooks, "sessions": sessions, "challenges": waiting}
        return {name: _plain(value) for name, value in told.items()}

    async def exists(self, address: str) -> bool:
        """Whether there is an account, blocked or not."""
        return await self._database.find_one(ACCOUNTS.name, {"_id": address}, ()) is not None

    async def overview(self) -> list[Line]:
        """All accounts, those that signed in last first."""
        stored = await self._database.find(ACCOUNTS.name, {}, (("seen", -1), ("_id", 1)))
        telling = await self._database.find(WEBHOOKS.name, {"account": {"$exists": True}}, fields=("account",))
        hooks = Counter(row["account"] for row in telling)
        return [
            Line(row["_id"], row["seen"], len(row["watches"]), hooks[row["_id"]], bool(row.get("blocked")))
            for row in stored
        ]

    async def block(self, address: str) -> None:
        """Keep an address out, with or without an account; BadRequest when it could not sign in anyway."""
        read_signer(address, self._network)
        journal, now = self._database.journal, int(self._clock())
        new = {"created": now, "seen": now, "watches": []}
        change = {"$set": {"blocked": True}, "$setOnInsert": new}
        await journal.change(ACCOUNTS.name, {"_id": address}, change, upsert=True)
        await journal.remove(SESSIONS.name, {"account": address})
        while await journal.change(WEBHOOKS.name, {"account": address, "paused": False}, {"$set": {"paused": True}}):
            pass  # one after the other: an account has few

    async def unblock(self, address: str) -> bool:
        """Let an address sign in again; whether it was blocked."""
        where, change = {"_id": address, "blocked": True}, {"$unset": {"blocked": ""}}
        return await self._database.journal.change(ACCOUNTS.name, where, change) is not None

    async def delete(self, address: str) -> bool:
        """Remove everything that is kept of an account; whether there was one."""
        journal = self._database.journal
        gone = await journal.take(ACCOUNTS.name, {"_id": address})
        for collection in (WEBHOOKS, SESSIONS, CHALLENGES):
            await journal.remove(collection.name, {"account": address})
        return gone is not None


def read_note(text: str) -> str:
    """A note as it is kept, one line of printable characters; BadRequest for one that is too long."""
    if len(text) > LONGEST_NOTE:
        raise BadRequest(Phrase(
            "the note has %(number)s characters: at most %(most)s are kept",
            number=len(text), most=LONGEST_NOTE,
        ))  # fmt: skip
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def read_account(stored: Mapping[str, Any]) -> Account:
    """An account from its document."""
    watches = tuple(Watch(row["kind"], row["entry"], row["note"], row["added"]) for row in stored["watches"])
    return Account(stored["_id"], stored["created"], stored["seen"], "feed" in stored, watches)


def _plain(value: Any, name: str = "") -> Any:
    """A value of the database as JSON has it: bytes as hex, the body of a delivery as the text that it is."""
    if isinstance(value, bytes):
        return value.decode() if name == "body" else value.hex()
    if isinstance(value, Mapping):
        return {("id" if key == "_id" else key): _plain(item, key) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
