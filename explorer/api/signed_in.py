"""The part of the API for who signed in: a watch list, webhooks, what is kept. The token comes in Authorization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request

from explorer.accounts.book import KINDS, LONGEST_NOTE, Account, Watch
from explorer.accounts.hooks import MOST_ENTRIES, AccountHook, Wish
from explorer.accounts.sessions import LONGEST_SECONDS
from explorer.api.body import Body
from explorer.api.endpoint import Api
from explorer.db import Answer
from explorer.errors import BadRequest, NotSignedIn, Syncing
from explorer.guard.clients import client_of
from explorer.queries.units import Seconds
from explorer.queries.watched import Watched, watched
from explorer.services import services
from explorer.webhooks.hooks import EVENTS

BODY_BYTES: Final = 1 << 16
ACTIONS: Final = ("pause", "resume", "test", "delete")
ERRORS: Final = (400, 401, 403, 413, 429, 503)
TEXT: Final[Mapping[str, Any]] = {"type": "string"}
TEXTS: Final[Mapping[str, Any]] = {"type": "array", "maxItems": MOST_ENTRIES, "items": TEXT}
NOTE: Final[Mapping[str, Any]] = {"type": "string", "maxLength": LONGEST_NOTE}
KIND: Final[Mapping[str, Any]] = {"type": "string", "enum": list(KINDS)}
FLAG: Final[Mapping[str, Any]] = {"type": "boolean"}


CHALLENGE: Final = Body(BODY_BYTES, "address", address=TEXT)
SIGNATURE: Final = Body(BODY_BYTES, "nonce", "address", "signature", nonce=TEXT, address=TEXT, signature=TEXT)
SIGN_OUT: Final = Body(BODY_BYTES, everywhere=FLAG)
WATCH: Final = Body(BODY_BYTES, "kind", "entry", kind=KIND, entry=TEXT, note=NOTE)
UNWATCH: Final = Body(BODY_BYTES, "kind", "entry", kind=KIND, entry=TEXT)
FEED: Final = Body(BODY_BYTES, revoke=FLAG)
WEBHOOK: Final = Body(
    BODY_BYTES, "url",
    url=TEXT, note=NOTE, addresses=TEXTS, nodes=TEXTS,
    events={"type": "array", "maxItems": len(EVENTS), "items": {"type": "string", "enum": sorted(EVENTS)}},
    min_confirmations={"type": "integer", "minimum": 1},
)  # fmt: skip
CHANGE: Final = Body(BODY_BYTES, "id", "action", id=TEXT, action={"type": "string", "enum": list(ACTIONS)})
DELETE: Final = Body(BODY_BYTES, "confirm", confirm=FLAG)


@dataclass(frozen=True, slots=True)
class ChallengeText:
    """A text to be signed with the key of the address: good once, until it expires."""

    nonce: str
    message: str
    expires_at: Seconds


@dataclass(frozen=True, slots=True)
class Session:
    """A token, for the header Authorization: Bearer. It ends after two hours without use, and at the latest then."""

    token: str
    ends_by: Seconds


@dataclass(frozen=True, slots=True)
class KeptAccount:
    """An account with its watch list; ``feed`` tells whether the list has an address of its own."""

    address: str
    created: Seconds
    seen: Seconds
    feed: bool
    watches: tuple[Watch, ...]


@dataclass(frozen=True, slots=True)
class Hooks:
    """The webhooks of an account, the oldest first, and how many it may have."""

    most: int
    items: tuple[AccountHook, ...]


@dataclass(frozen=True, slots=True)
class NewHook:
    """A webhook that was just made, and its secret, which is told this once."""

    secret: str
    webhook: AccountHook


@dataclass(frozen=True, slots=True)
class Feed:
    """The paths at which programs read the watch list, told this once; null when they were revoked."""

    calendar: str | None
    csv: str | None


@dataclass(frozen=True, slots=True)
class Ended:
    """How many sessions ended."""

    sessions: int


@dataclass(frozen=True, slots=True)
class Kept:
    """Everything that is kept of an account, as it is kept."""

    kept: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Deleted:
    """That nothing is kept of an account any more."""

    deleted: bool


api = Api()


def _here(request: Request) -> str:
    """The host that challenges name; Forbidden where there are no accounts."""
    return services(request).accounts.site(request.headers.get("host", ""))


def _token(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


async def _account(request: Request) -> Account:
    """The account whose token a request carries. Raises NotSignedIn."""
    site = _here(request)
    account = await services(request).accounts.account(_token(request), "program", site)
    if account is None:
        raise NotSignedIn("the header Authorization carries no token of a session: expected Bearer and the token")
    return account


def _answer(request: Request, value: Any) -> Answer[Any]:
    tip = services(request).db.meta.tip
    if tip is None:
        raise Syncing("no block has been indexed yet: ask again later")
    return Answer(value, tip)


@api.post("/api/v1/account/challenges", ChallengeText, CHALLENGE, errors=(400, 403, 413, 429, 503))
async def post_challenge(request: Request) -> Answer[ChallengeText]:
    """A text to sign with the key of a Flux address or ZelID, for a token."""
    asked, accounts = await CHALLENGE.read(request), services(request).accounts
    made = await accounts.challenges.make("program", asked["address"], _here(request), client_of(request.scope).name)
    return _answer(request, ChallengeText(made.nonce, made.message, made.until))


@api.post("/api/v1/account/sessions", Session, SIGNATURE, errors=(400, 403, 413, 429, 503))
async def post_session(request: Request) -> Answer[Session]:
    """A token for the signature of a challenge."""
    asked, accounts = await SIGNATURE.read(request), services(request).accounts
    token = await accounts.sign_in("program", **asked, site=_here(request))
    account = await accounts.book.read(asked["address"])
    return _answer(request, Session(token, account.seen + LONGEST_SECONDS))


@api.post("/api/v1/account/sign-out", Ended, SIGN_OUT, errors=ERRORS, signed_in=True)
async def post_sign_out(request: Request) -> Answer[Ended]:
    """End this session, or with ``everywhere`` all of the account."""
    account, asked = await _account(request), await SIGN_OUT.read(request)
    sessions = services(request).accounts.sessions
    if asked["everywhere"]:
        return _answer(request, Ended(await sessions.end_all(account.address)))
    await sessions.end(_token(request))
    return _answer(request, Ended(1))


def _shown(account: Account) -> KeptAccount:
    return KeptAccount(account.address, account.created, account.seen, account.has_feed, account.watches)


@api.get("/api/v1/account", KeptAccount, errors=(401, 403, 429, 503), revalidate=False, signed_in=True)
async def get_account(request: Request) -> Answer[KeptAccount]:
    """The account with its watch list."""
    return _answer(request, _shown(await _account(request)))


@api.get("/api/v1/account/watched", Watched, errors=(401, 403, 429, 503), revalidate=False, signed_in=True)
async def get_watched(request: Request) -> Answer[Watched]:
    """What the watch list comes to: balances, last credits, nodes by their next payout."""
    account = await _account(request)
    addresses, nodes = account.entries("address", "payee"), account.entries("node", "payee")
    return await services(request).db.fenced(watched, addresses, nodes)


@api.post("/api/v1/account/watches", KeptAccount, WATCH, errors=ERRORS, signed_in=True)
async def post_watch(request: Request) -> Answer[KeptAccount]:
    """Put an address, a node or an address that nodes pay on the watch list, or write another note to it."""
    account, asked, book = await _account(request), await WATCH.read(request), services(request).accounts.book
    await book.watch(account.address, asked["kind"], asked["entry"], asked["note"] or "")
    return _answer(request, _shown(await book.read(account.address)))


@api.post("/api/v1/account/watches/remove", KeptAccount, UNWATCH, errors=(*ERRORS, 404), signed_in=True)
async def post_unwatch(request: Request) -> Answer[KeptAccount]:
    """Take something off the watch list."""
    account, asked, book = await _account(request), await UNWATCH.read(request), services(request).accounts.book
    await book.unwatch(account.address, asked["kind"], asked["entry"])
    return _answer(request, _shown(await book.read(account.address)))


@api.post("/api/v1/account/feed", Feed, FEED, errors=ERRORS, signed_in=True)
async def post_feed(request: Request) -> Answer[Feed]:
    """Give the watch list an address of its own, instead of the one before; with ``revoke`` none."""
    account, asked = await _account(request), await FEED.read(request)
    book = services(request).accounts.book
    if asked["revoke"]:
        await book.close_feed(account.address)
        return _answer(request, Feed(None, None))
    secret = await book.open_feed(account.address)
    return _answer(request, Feed(f"/watched/{secret}.ics", f"/watched/{secret}.csv"))


@api.get("/api/v1/account/webhooks", Hooks, errors=(401, 403, 429, 503), revalidate=False, signed_in=True)
async def get_webhooks(request: Request) -> Answer[Hooks]:
    """The webhooks of the account, each with its last attempts."""
    account, hooks = await _account(request), services(request).accounts.hooks
    return _answer(request, Hooks(hooks.most, await hooks.all(account.address)))


@api.post("/api/v1/account/webhooks", NewHook, WEBHOOK, errors=ERRORS, signed_in=True)
async def post_webhook(request: Request) -> Answer[NewHook]:
    """Make a webhook: it is told of what comes from now on."""
    account, asked = await _account(request), await WEBHOOK.read(request)
    wish = Wish(**{name: value for name, value in asked.items() if value is not None})
    made, secret = await services(request).accounts.hooks.make(account.address, wish)
    return _answer(request, NewHook(secret, made))


@api.post("/api/v1/account/webhooks/change", Hooks, CHANGE, errors=(*ERRORS, 404), signed_in=True)
async def post_webhook_change(request: Request) -> Answer[Hooks]:
    """Pause a webhook, let it go on, test it, or delete it."""
    account, asked, hooks = await _account(request), await CHANGE.read(request), services(request).accounts.hooks
    await hooks.act(account.address, asked["id"], asked["action"])
    return _answer(request, Hooks(hooks.most, await hooks.all(account.address)))


@api.get("/api/v1/account/export", Kept, errors=(401, 403, 429, 503), revalidate=False, signed_in=True)
async def get_export(request: Request) -> Answer[Kept]:
    """Everything that is kept of the account."""
    account = await _account(request)
    return _answer(request, Kept(await services(request).accounts.book.export(account.address)))


@api.post("/api/v1/account/delete", Deleted, DELETE, errors=ERRORS, signed_in=True)
async def post_delete(request: Request) -> Answer[Deleted]:
    """Remove everything that is kept of the account, at once; ``confirm`` must be true."""
    account, asked = await _account(request), await DELETE.read(request)
    if not asked["confirm"]:
        raise BadRequest("confirm: expected true; nothing was deleted")
    return _answer(request, Deleted(await services(request).accounts.delete(account.address)))
