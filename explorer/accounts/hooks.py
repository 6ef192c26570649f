"""The webhooks of accounts: like the operator's, but made and ended by visitors, and never to private networks."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from explorer.accounts.book import Accounts, read_note
from explorer.db import Database
from explorer.errors import BadRequest, NotFound, RateLimited
from explorer.languages import N_
from explorer.languages.phrases import Phrase
from explorer.webhooks.hooks import Webhook, read_hook
from explorer.webhooks.sender import places_now
from indexer.chain.params import Network
from indexer.errors import ConfigError
from indexer.store.schema import WEBHOOKS

MOST_ENTRIES: Final = 100  # addresses, and nodes, of one webhook
LONGEST_URL: Final = 500  # characters
TOO_MANY_ADDRESSES: Final = N_("%(number)s addresses are too many: at most %(most)s for one webhook")
TOO_MANY_NODES: Final = N_("%(number)s nodes are too many: at most %(most)s for one webhook")
TEST_SECONDS: Final = 10  # between two tests of a webhook
SECRET_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt at a delivery; ``at`` in Unix seconds, ``problem`` is None when it was taken."""

    at: int
    event: str
    seq: str
    problem: str | None


@dataclass(frozen=True, slots=True)
class AccountHook:
    """A webhook of an account and how it fares; its secret was shown once, when it was made."""

    id: str
    note: str
    url: str
    addresses: tuple[str, ...]
    nodes: tuple[str, ...]
    events: tuple[str, ...]
    min_confirmations: int
    created: int
    paused: bool
    waiting: bool
    delivered: int
    failed: int
    problem: str | None
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """A webhook as somebody asks for it; without ``events`` all but the regular confirmations."""

    url: str
    note: str = ""
    addresses: Sequence[str] = ()
    nodes: Sequence[str] = ()
    events: Sequence[str] | None = None
    min_confirmations: int = 1


class AccountHooks:
    """Makes, reads and ends the webhooks of accounts, at most ``most`` each; ``clock`` gives Unix seconds."""

    def __init__(
        self, database: Database, network: Network, accounts: Accounts, most: int,
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._database, self._network, self._accounts, self._clock = database, network, accounts, clock
        self.most = most

    async def make(self, account: str, wish: Wish) -> tuple[AccountHook, str]:
        """A new webhook and its secret: it is told of what comes from now on. BadRequest says what is wrong."""
        id, secret = secrets.token_hex(8), secrets.token_urlsafe(SECRET_BYTES)
        hook = self._checked(id, secret, wish)
        place, position = (await self._database.fenced(places_now)).value
        row = {
            "_id": id, "until": 0, "credit": place, "life": position, "due": 0, "attempts": 0, "delivered": 0,
            "failed": 0, "account": account, "hook": hook, "created": int(self._clock()),
            "paused": False, "asked": "", "tested": "", "log": [],
        }  # fmt: skip
        await self._accounts.read(account)
        await self._database.journal.put(WEBHOOKS.name, [row])
        await self._require_room(account, id)
        return read_account_hook(row), secret

    async def _require_room(self, account: str, id: str) -> None:
        """Keep the new one only while there is an account and room in it; looked at when it is written, for others
        may be at it too."""
        mine = await self._database.find(WEBHOOKS.name, {"account": account}, fields=("_id",))
        try:
            await self._accounts.read(account)
            if len(mine) > self.most:
                raise BadRequest(
                    Phrase("%(most)s webhooks of an account are all there may be: delete one first", most=self.most)
                )
        except Exception:
            await self._database.journal.remove(WEBHOOKS.name, {"_id": id})
            raise

    async def all(self, account: str) -> tuple[AccountHook, ...]:
        """The webhooks of an account, the oldest first."""
        rows = await self._database.find(WEBHOOKS.name, {"account": account}, (("created", 1), ("_id", 1)))
        return tuple(map(read_account_hook, rows))

    async def one(self, account: str, id: str) -> AccountHook:
        """A webhook of an account; NotFound when it has none of that id."""
        return read_account_hook(await self._row(account, id))

    async def _row(self, account: str, id: str) -> Mapping[str, Any]:
        row = await self._database.find_one(WEBHOOKS.name, {"_id": id, "account": account}, ())
        if row is None:
            raise _unknown(id)
        return row

    async def act(self, account: str, id: str, action: str) -> None:
        """Pause, resume, test or delete a webhook; NotFound for any other action, and for no webhook of the account."""
        if action in ("pause", "resume"):
            await self.pause(account, id, action == "pause")
        elif action == "test":
            await self.test(account, id)
        elif action == "delete":
            await self.remove(account, id)
        else:
            raise NotFound(Phrase(
                "a webhook knows no %(action)s: expected pause, resume, test or delete",
                action=repr(action[:20]),
            ))  # fmt: skip

    async def pause(self, account: str, id: str, paused: bool) -> AccountHook:
        """Deliver nothing for now, or go on where it was; going on tries at once."""
        begun: dict[str, Any] = {} if paused else {"due": 0, "attempts": 0}
        return await self._change(account, id, {"paused": paused, **begun})

    async def test(self, account: str, id: str) -> AccountHook:
        """Ask for a test delivery, in its turn; RateLimited when one was asked for just now."""
        now = int(self._clock())
        row = await self._row(account, id)
        asked = int(row["asked"].partition("-")[0] or 0)
        if now - asked < TEST_SECONDS:
            raise RateLimited(Phrase(
                "a test of this webhook was asked for just now: wait %(seconds)s seconds",
                seconds=TEST_SECONDS,
            ))  # fmt: skip
        if row["paused"]:
            raise BadRequest(Phrase("this webhook is paused: let it go on first"))
        return await self._change(account, id, {"asked": f"{now}-{secrets.token_hex(4)}", "due": 0})

    async def remove(self, account: str, id: str) -> None:
        """End a webhook and forget it; NotFound when there is none of that id."""
        if not await self._database.journal.remove(WEBHOOKS.name, {"_id": id, "account": account}):
            raise _unknown(id)

    async def _change(self, account: str, id: str, values: Mapping[str, Any]) -> AccountHook:
        where = {"_id": id, "account": account}
        row = await self._database.journal.change(WEBHOOKS.name, where, {"$set": values})
        if row is None:
            raise _unknown(id)
        return read_account_hook(row)

    def _checked(self, id: str, secret: str, wish: Wish) -> dict[str, Any]:
        """The webhook that is wished for as it is kept, checked like the operator's and more narrowly."""
        for entries, too_many in ((wish.addresses, TOO_MANY_ADDRESSES), (wish.nodes, TOO_MANY_NODES)):
            if len(entries) > MOST_ENTRIES:
                raise BadRequest(Phrase(too_many, number=len(entries), most=MOST_ENTRIES))
        if len(wish.url) > LONGEST_URL:
            raise BadRequest(
                Phrase("the url has %(number)s characters: at most %(most)s", number=len(wish.url), most=LONGEST_URL)
            )
        note = read_note(wish.note)
        row = {
            "name": id, "url": wish.url.strip(), "secret": secret, "addresses": list(dict.fromkeys(wish.addresses)),
            "nodes": list(wish.nodes), "min_confirmations": wish.min_confirmations,
        }  # fmt: skip
        try:
            hook = read_hook(row if wish.events is None else row | {"events": list(wish.events)},
                             self._network, allow_private=False)  # fmt: skip
        except ConfigError as error:
            raise BadRequest(error.args[0]) from error
        return _stored(hook, note)


def read_account_hook(row: Mapping[str, Any]) -> AccountHook:
    """What an account sees of its webhook."""
    hook = row["hook"]
    return AccountHook(
        id=row["_id"],
        note=hook["note"],
        url=hook["url"],
        addresses=tuple(hook["addresses"]),
        nodes=tuple(hook["nodes"]),
        events=tuple(hook["events"]),
        min_confirmations=hook["min_confirmations"],
        created=row["created"],
        paused=row["paused"],
        waiting="pending" in row or row["asked"] != row["tested"],
        delivered=row["delivered"],
        failed=row["failed"],
        problem=row.get("problem"),
        attempts=tuple(Attempt(one["at"], one["event"], one["seq"], one["problem"]) for one in reversed(row["log"])),
    )


def webhook_of(row: Mapping[str, Any]) -> Webhook:
    """The webhook that a row tells how to deliver."""
    hook = row["hook"]
    return Webhook(
        row["_id"], hook["url"], hook["secret"], tuple(hook["addresses"]), frozenset(hook["nodes"]),
        frozenset(hook["events"]), hook["min_confirmations"],
    )  # fmt: skip


def _stored(hook: Webhook, note: str) -> dict[str, Any]:
    return {
        "note": note,
        "url": hook.url,
        "secret": hook.secret,
        "addresses": list(hook.addresses),
        "nodes": sorted(hook.nodes),
        "events": sorted(hook.events),
        "min_confirmations": hook.min_confirmations,
    }


def _unknown(id: str) -> NotFound:
    return NotFound(Phrase("this account has no webhook %(id)s", id=repr(id[:32])))
