"""An account: signing in, the watch list at a glance, what is kept and how to take it away."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from explorer.accounts import book, challenges, sessions
from explorer.accounts.book import Account
from explorer.accounts.challenges import Challenge
from explorer.errors import BadRequest, Forbidden, NotFound, RateLimited
from explorer.guard.clients import client_of
from explorer.languages import _
from explorer.languages.phrases import said
from explorer.pages.render import with_query
from explorer.pages.visitors import (
    HOME,
    PRIVATE,
    cookie_name,
    gone_to,
    own_form,
    own_path,
    private_page,
    signed_in,
    site_name,
    visitor,
    with_session,
    without_session,
)
from explorer.queries.node_results import Node
from explorer.queries.watched import watched
from explorer.services import services

WRONG = (BadRequest, Forbidden, RateLimited, NotFound)
FEEDS = ("ics", "csv")


async def show(request: Request) -> Response:
    """The watch list at a glance; who is not signed in finds how to."""
    account = await visitor(request)
    query = request.query_params
    if account is None:
        wanted = {"kind": query.get("kind"), "entry": query.get("entry")} if query.get("entry") else {}
        return await _sign_in(request, back=query.get("next") or with_query(HOME, **wanted))
    typed = {name: query.get(name, "") for name in ("kind", "entry", "note")}
    return await account_page(request, account, typed=typed)


async def account_page(request: Request, account: Account, *, http_status: int = 200, **more: Any) -> Response:
    """The page of an account; ``more``: what was typed, what was wrong with it, a new address of the feed."""
    addresses, nodes = account.entries("address", "payee"), account.entries("node", "payee")
    answer = await services(request).db.fenced(watched, addresses, nodes)
    shown: dict[str, Any] = {"typed": {"kind": "", "entry": "", "note": ""}, "problem": "", "feed": ""}
    listed = with_query("/operator", nodes=" ".join(nodes)) if nodes else ""
    return await private_page(
        request, "account.html", http_status=http_status, account=account, watched=answer.value, tip=answer.tip,
        kinds=book.KINDS, most=book.MOST_WATCHES, longest=book.LONGEST_NOTE, feeds=FEEDS, tab="watch",
        operator=listed if len(listed) <= 2000 else "", noted=noted(account, answer.value.nodes.items),
        **(shown | more),
    )  # fmt: skip


def noted(account: Account, nodes: tuple[Node, ...]) -> dict[str, str]:
    """The note to each node by its collateral: its own, or that to the address it pays."""
    notes = account.notes
    return {node.node: notes.get(node.node) or notes.get(node.address, "") for node in nodes}


async def _sign_in(
    request: Request, *, back: str, address: str = "", challenge: Challenge | None = None, problem: str = "",
    http_status: int = 200,
) -> Response:  # fmt: skip
    return await private_page(
        request, "sign_in.html", http_status=http_status, address=address, challenge=challenge, problem=problem,
        back=own_path(back), site_name=site_name(request), minutes=challenges.MINUTES,
        hours=(sessions.IDLE_SECONDS // 3600, sessions.LONGEST_SECONDS // 3600), days=book.EMPTY_SECONDS // 86_400,
    )  # fmt: skip


async def challenge(request: Request) -> Response:
    """The text to sign for an address, and where to put the signature."""
    fields = await own_form(request)
    accounts, address, back = services(request).accounts, fields.text("address"), fields.text("next")
    try:
        made = await accounts.challenges.make("site", address, site_name(request), client_name(request))
    except (BadRequest, RateLimited) as error:
        return await _sign_in(
            request, back=back, address=address, problem=said(error.message), http_status=error.status
        )
    return await _sign_in(request, back=back, address=address, challenge=made)


def client_name(request: Request) -> str:
    """Whose challenges are counted together."""
    return client_of(request.scope).name


async def sign_in(request: Request) -> Response:
    """Take the signature; who is signed in goes on where he came from, others get another challenge."""
    fields, accounts = await own_form(request), services(request).accounts
    site, address, back = site_name(request), fields.text("address"), fields.text("next")
    try:
        token = await accounts.sign_in("site", fields.text("nonce"), address, fields.text("signature"), site)
    except (BadRequest, Forbidden, RateLimited) as error:
        return await _sign_in(
            request, back=back, address=address, problem=said(error.message), http_status=error.status
        )
    if before := request.cookies.get(cookie_name(request)):
        await accounts.sessions.end(before)
    return with_session(request, gone_to(own_path(back or HOME)), token)


async def sign_out(request: Request) -> Response:
    """End this session."""
    await own_form(request)
    if token := request.cookies.get(cookie_name(request)):
        await services(request).accounts.sessions.end(token)
    return without_session(request, gone_to("/"))


async def sign_out_everywhere(request: Request) -> Response:
    """End every session of the account, those of programs too."""
    await own_form(request)
    account = await signed_in(request)
    await services(request).accounts.sessions.end_all(account.address)
    return without_session(request, gone_to("/"))


async def watch(request: Request) -> Response:
    """Put entries on the watch list, or write another note; who is not signed in does that first."""
    fields = await own_form(request)
    account = await visitor(request)
    typed = {name: fields.text(name) for name in ("kind", "entry", "note")}
    if account is None:
        wanted = {"kind": typed["kind"], "entry": typed["entry"]} if len(typed["entry"]) <= 200 else {}
        return gone_to(with_query(HOME, **wanted))
    try:
        for entry in fields.words("entry")[: book.MOST_WATCHES] or [""]:
            await services(request).accounts.book.watch(account.address, typed["kind"], entry, typed["note"])
    except WRONG as error:
        return await account_page(request, account, http_status=error.status, typed=typed, problem=said(error.message))
    return gone_to(HOME)


async def unwatch(request: Request) -> Response:
    """Take something off the watch list."""
    fields, account = await own_form(request), await signed_in(request)
    await services(request).accounts.book.unwatch(account.address, fields.text("kind"), fields.text("entry"))
    return gone_to(HOME)


async def open_feed(request: Request) -> Response:
    """Give the watch list an address of its own, shown this once; one before leads nowhere from now on."""
    await own_form(request)
    account = await signed_in(request)
    secret = await services(request).accounts.book.open_feed(account.address)
    return await account_page(request, await signed_in(request), feed=f"/watched/{secret}")


async def close_feed(request: Request) -> Response:
    """Let the address of the watch list lead nowhere."""
    await own_form(request)
    account = await signed_in(request)
    await services(request).accounts.book.close_feed(account.address)
    return gone_to(HOME)


async def export(request: Request) -> Response:
    """Everything that is kept of the account, as a file."""
    account = await signed_in(request)
    kept = await services(request).accounts.book.export(account.address)
    headers = {**PRIVATE, "Content-Disposition": 'attachment; filename="flux-explorer-account.json"'}
    return Response(json.dumps(kept, indent=2), headers=headers, media_type="application/json")


async def delete(request: Request) -> Response:
    """Remove everything that is kept of the account, once that is confirmed."""
    fields, account = await own_form(request), await signed_in(request)
    if fields.text("confirm") != "yes":
        problem = _("nothing was deleted: tick the box to confirm it")
        return await account_page(request, account, http_status=400, problem=problem)
    await services(request).accounts.delete(account.address)
    return without_session(request, await private_page(request, "account_gone.html", tab=""))
