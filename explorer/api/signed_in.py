"""The part of the API for who signed in: a watch list, webhooks, what is kept. The token comes in Authorization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request

from explorer.accounts.book import KINDS, LONGEST_NOTE, Account, Watch
from explorer.accounts.hooks import MOST_ENTRIES, AccountHook, Wish
from explorer.accounts.sessions import LONGEST_SECONDS
from explorer.api.body import body_int, body_text, body_texts, read_object
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


def body(required: tuple[str, ...], **properties: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a body."""
    return {"type": "object", "required": list(required), "additionalProperties": False, "properties": properties}


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


@api.post(
    "/api/v1/account/challenges", ChallengeText, body(("address",), address=TEXT), errors=(400, 403, 413, 429, 503)
)
async def post_challenge(request: Request) -> Answer[ChallengeText]:
    """A text to sign with the key of a Flux address or ZelID, for a token."""
    asked, accounts = await read_object(request, BODY_BYTES, ("address",)), services(request).accounts
    address = body_text(asked, "address")
    made = await accounts.challenges.make("program", address, _here(request), client_of(request.scope).name)
    return _answer(request, ChallengeText(made.nonce, made.message, made.until))


SESSION_KEYS: Final = ("nonce", "address", "signature")


@api.post(
    "/api/v1/account/sessions", Session,
    body(SESSION_KEYS, nonce=TEXT, address=TEXT, signature=TEXT),
    errors=(400, 403, 413, 429, 503),
)  # fmt: skip
async def post_session(request: Request) -> Answer[Session]:
    """A token for the signature of a challenge."""
    asked, accounts = await read_object(request, BODY_BYTES, SESSION_KEYS), services(request).accounts
    nonce, address, signature = (body_text(asked, key) for key in SESSION_KEYS)
    token = await accounts.sign_in("program", nonce, address, signature, _here(request))
    account = await accounts.book.read(address)
    return _answer(request, Session(token, account.seen + LONGEST_SECONDS))


@api.post("/api/v1/account/sign-out", Ended, body((), everywhere=FLAG), errors=ERRORS, signed_in=True)
async def post_sign_out(request: Request) -> Answer[Ended]:
    """End this session, or with ``everywhere`` all of the account."""
    asked, account = await read_object(request, BODY_BYTES, ("everywhere",)), await _account(request)
    sessions = services(request).accounts.sessions
    if _flag(asked, "everywhere"):
        return _answer(request, Ended(await sessions.end_all(account.address)))
    await sessions.end(_token(request))
    return _answer(request, Ended(1))


def _flag(asked: Mapping[str, Any], name: str) -> bool:
    value = asked.get(name, False)
    if not isinstance(value, bool):
        raise BadRequest(f"{name}: expected true or false")
    return value


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


@api.post(
    "/api/v1/account/watches", KeptAccount, body(("kind", "entry"), kind=KIND, entry=TEXT, note=NOTE),
    errors=ERRORS, signed_in=True,
)  # fmt: skip
async def post_watch(request: Request) -> Answer[KeptAccount]:
    """Put an address, a node or an address that nodes pay on the watch list, or write another note to it."""
    asked, account = await read_object(request, BODY_BYTES, ("kind", "entry", "note")), await _account(request)
    note = body_text(asked, "note") if "note" in asked else ""
    book = services(request).accounts.book
    await book.watch(account.address, body_text(asked, "kind"), body_text(asked, "entry"), note)
    return _answer(request, _shown(await book.read(account.address)))


@api.post(
    "/api/v1/account/watches/remove", KeptAccount, body(("kind", "entry"), kind=KIND, entry=TEXT),
    errors=(*ERRORS, 404), signed_in=True,
)  # fmt: skip
async def post_unwatch(request: Request) -> Answer[KeptAccount]:
    """Take something off the watch list."""
    asked, account = await read_object(request, BODY_BYTES, ("kind", "entry")), await _account(request)
    book = services(request).accounts.book
    await book.unwatch(account.address, body_text(asked, "kind"), body_text(asked, "entry"))
    return _answer(request, _shown(await book.read(account.address)))


@api.post("/api/v1/account/feed", Feed, body((), revoke=FLAG), errors=ERRORS, signed_in=True)
async def post_feed(request: Request) -> Answer[Feed]:
    """Give the watch list an address of its own, instead of the one before; with ``revoke`` none."""
    asked, account = await read_object(request, BODY_BYTES, ("revoke",)), await _account(request)
    book = services(request).accounts.book
    if _flag(asked, "revoke"):
        await book.close_feed(account.address)
        return _answer(request, Feed(None, None))
    secret = await book.open_feed(account.address)
    return _answer(request, Feed(f"/watched/{secret}.ics", f"/watched/{secret}.csv"))


@api.get("/api/v1/account/webhooks", Hooks, errors=(401, 403, 429, 503), revalidate=False, signed_in=True)
async def get_webhooks(request: Request) -> Answer[Hooks]:
    """The webhooks of the account, each with its last attempts."""
    account, hooks = await _account(request), services(request).accounts.hooks
    return _answer(request, Hooks(hooks.most, await hooks.all(account.address)))


HOOK_KEYS: Final = ("url", "note", "addresses", "nodes", "events", "min_confirmations")


@api.post(
    "/api/v1/account/webhooks", NewHook,
    body(("url",), url=TEXT, note=NOTE, addresses=TEXTS, nodes=TEXTS,
         events={"type": "array", "maxItems": len(EVENTS), "items": {"type": "string", "enum": sorted(EVENTS)}},
         min_confirmations={"type": "integer", "minimum": 1}),
    errors=ERRORS, signed_in=True,
)  # fmt: skip
async def post_webhook(request: Request) -> Answer[NewHook]:
    """Make a webhook: it is told of what comes from now on."""
    asked, account = await read_object(request, BODY_BYTES, HOOK_KEYS), await _account(request)
    depth = body_int(asked, "min_confirmations")
    wish = Wish(
        url=body_text(asked, "url"),
        note=body_text(asked, "note") if "note" in asked else "",
        addresses=body_texts(asked, "addresses") if "addresses" in asked else [],
        nodes=body_texts(asked, "nodes") if "nodes" in asked else [],
        events=body_texts(asked, "events") if "events" in asked else None,
        min_confirmations=1 if depth is None else depth,
    )
    made, secret = await services(request).accounts.hooks.make(account.address, wish)
    return _answer(request, NewHook(secret, made))


@api.post(
    "/api/v1/account/webhooks/change", Hooks,
    body(("id", "action"), id=TEXT, action={"type": "string", "enum": list(ACTIONS)}),
    errors=(*ERRORS, 404), signed_in=True,
)  # fmt: skip
async def post_webhook_change(request: Request) -> Answer[Hooks]:
    """Pause a webhook, let it go on, test it, or delete it."""
    asked, account = await read_object(request, BODY_BYTES, ("id", "action")), await _account(request)
    hooks, id, action = services(request).accounts.hooks, body_text(asked, "id"), body_text(asked, "action")
    await hooks.act(account.address, id, action)
    return _answer(request, Hooks(hooks.most, await hooks.all(account.address)))


@api.get("/api/v1/account/export", Kept, errors=(401, 403, 429, 503), revalidate=False, signed_in=True)
async def get_export(request: Request) -> Answer[Kept]:
    """Everything that is kept of the account."""
    account = await _account(request)
    return _answer(request, Kept(await services(request).accounts.book.export(account.address)))


@api.post("/api/v1/account/delete", Deleted, body(("confirm",), confirm=FLAG), errors=ERRORS, signed_in=True)
async def post_delete(request: Request) -> Answer[Deleted]:
    """Remove everything that is kept of the account, at once; ``confirm`` must be true."""
    asked, account = await read_object(request, BODY_BYTES, ("confirm",)), await _account(request)
    if not _flag(asked, "confirm"):
        raise BadRequest("confirm: expected true; nothing was deleted")
    return _answer(request, Deleted(await services(request).accounts.delete(account.address)))
