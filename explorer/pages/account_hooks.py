"""The webhooks of an account: the list, a new one, and how each fares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from explorer.accounts import hooks
from explorer.accounts.book import LONGEST_NOTE, Account
from explorer.accounts.hooks import Wish
from explorer.errors import BadRequest, NotFound
from explorer.languages import N_, Marked
from explorer.languages.phrases import Phrase, said
from explorer.pages.account import WRONG
from explorer.pages.visitors import Fields, gone_to, own_form, private_page, signed_in, to_sign_in, visitor
from explorer.services import services
from explorer.webhooks.hooks import EVENTS, UNASKED

LIST: Final = "/account/webhooks"
EVENT_WORDS: Final = Marked(
    {
        "start": N_("started"),
        "confirm": N_("confirmed for the first time"),
        "update": N_("confirmed again (often)"),
        "payout": N_("paid"),
        "dos": N_("on the DoS list"),
        "expired": N_("expired"),
        "spent": N_("collateral spent"),
        "removed": N_("removed"),
        "released": N_("released from the DoS list"),
        "ip_change": N_("another IP"),
    }
)


async def index(request: Request) -> Response:
    """The webhooks of the account, and the form for a new one."""
    account = await visitor(request)
    return to_sign_in(LIST) if account is None else await _list(request, account)


async def _list(request: Request, account: Account, *, http_status: int = 200, **more: Any) -> Response:
    kept = services(request).accounts.hooks
    typed: Mapping[str, Any] = {
        "note": "", "url": "", "addresses": " ".join(account.entries("address", "payee")[: hooks.MOST_ENTRIES]),
        "nodes": " ".join(account.entries("node")[: hooks.MOST_ENTRIES]), "min_confirmations": "1",
        "events": sorted(EVENTS - UNASKED),
    }  # fmt: skip
    shown: dict[str, Any] = {"typed": typed, "problem": "", "made": None, "secret": ""}
    return await private_page(
        request, "account_hooks.html", http_status=http_status, account=account, tab="webhooks",
        hooks=await kept.all(account.address), most=kept.most, entries=hooks.MOST_ENTRIES, events=sorted(EVENTS),
        event_words=EVENT_WORDS, longest=LONGEST_NOTE, **(shown | more),
    )  # fmt: skip


async def make(request: Request) -> Response:
    """A new webhook; its secret is on the page that answers, and never again."""
    fields, account = await own_form(request), await signed_in(request)
    try:
        made, secret = await services(request).accounts.hooks.make(account.address, _wish(fields))
    except WRONG as error:
        names = ("note", "url", "addresses", "nodes", "min_confirmations")
        typed: dict[str, Any] = {name: fields.text(name) for name in names}
        typed |= {"events": fields.texts("events")}
        return await _list(request, account, http_status=error.status, typed=typed, problem=said(error.message))
    return await _list(request, account, made=made, secret=secret)


def _wish(fields: Fields) -> Wish:
    depth = fields.text("min_confirmations") or "1"
    if not depth.isascii() or not depth.isdigit() or len(depth) > 6:
        raise BadRequest(
            Phrase("min_confirmations is %(text)s: expected a whole number from 1 on", text=repr(depth[:20]))
        )
    return Wish(
        url=fields.text("url"), note=fields.text("note"), addresses=fields.words("addresses"),
        nodes=fields.words("nodes"), events=fields.texts("events"), min_confirmations=int(depth),
    )  # fmt: skip


async def show(request: Request) -> Response:
    """One webhook: what it is told of, its last attempts, and how to pause or end it."""
    account, id = await visitor(request), request.path_params["id"]
    if account is None:
        return to_sign_in(LIST)
    hook = await services(request).accounts.hooks.one(account.address, id)
    return await private_page(request, "account_hook.html", account=account, hook=hook, tab="webhooks", problem="",
                              event_words=EVENT_WORDS)  # fmt: skip


async def change(request: Request) -> Response:
    """Pause a webhook, let it go on, test it, or delete it."""
    await own_form(request)
    account, kept = await signed_in(request), services(request).accounts.hooks
    id, action = request.path_params["id"], request.path_params["action"]
    try:
        await kept.act(account.address, id, action)
    except NotFound:
        raise
    except WRONG as error:
        hook = await kept.one(account.address, id)
        return await private_page(request, "account_hook.html", http_status=error.status, account=account, hook=hook,
                                  tab="webhooks", problem=said(error.message), event_words=EVENT_WORDS)  # fmt: skip
    return gone_to(LIST if action == "delete" else f"{LIST}/{id}")
