"""Who is signed in: the cookie of a session, and forms that only our own pages may send."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from explorer.accounts.book import Account
from explorer.accounts.sessions import LONGEST_SECONDS
from explorer.errors import Forbidden, NotSignedIn
from explorer.languages.phrases import Phrase
from explorer.pages.forms import is_own_path, read_form
from explorer.pages.render import render, with_query
from explorer.services import services

COOKIE: Final = "session"
SAFE_COOKIE: Final = "__Host-session"  # browsers take it over https only, and from this very host
PRIVATE: Final = {"Cache-Control": "private, no-store", "Vary": "Cookie"}
LONGEST_FORM: Final = 1 << 16  # bytes
MOST_FIELDS: Final = 40
HOME: Final = "/account"


class Fields:
    """The fields of a form; a name may come several times."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._pairs = pairs

    def text(self, name: str) -> str:
        """A field without the spaces around it, the first of its name; empty when it is missing."""
        return next(iter(self.texts(name)), "").strip()

    def texts(self, name: str) -> list[str]:
        """All values of a field."""
        return [value for field, value in self._pairs if field == name]

    def words(self, name: str) -> list[str]:
        """What stands in a field between spaces, commas and ends of lines."""
        return self.text(name).replace(",", " ").split()


async def own_form(request: Request) -> Fields:
    """The fields of a form that one of our own pages sent; Forbidden for other senders, BadRequest for too much."""
    require_own_page(request)
    return Fields(await read_form(request, LONGEST_FORM, MOST_FIELDS))


def require_own_page(request: Request) -> None:
    """Forbidden unless the browser says that the form stood on a page of this site.

    Every browser of today sends Sec-Fetch-Site or Origin with a form, and no page can change them.
    """
    fetched = request.headers.get("sec-fetch-site")
    if fetched is None:
        origin = urlsplit(request.headers.get("origin", "")).netloc
        is_own = bool(origin) and origin.lower() == request.headers.get("host", "").lower()
    else:
        is_own = fetched == "same-origin"
    if not is_own:
        raise Forbidden(Phrase("this form did not come from a page of this site: open the page here and send it again"))


def site_name(request: Request) -> str:
    """The host that challenges name; Forbidden where there are no accounts."""
    return services(request).accounts.site(request.headers.get("host", ""))


async def visitor(request: Request) -> Account | None:
    """The account that the browser is signed in to, or None; Forbidden where there are no accounts."""
    site = site_name(request)
    token = request.cookies.get(cookie_name(request), "")
    try:
        return await services(request).accounts.account(token, "site", site) if token else None
    except NotSignedIn:
        return None


async def signed_in(request: Request) -> Account:
    """The account that the browser is signed in to. Raises NotSignedIn."""
    account = await visitor(request)
    if account is None:
        raise NotSignedIn(Phrase("nobody is signed in here, or the session has ended: sign in first"))
    return account


def cookie_name(request: Request) -> str:
    """The name of the cookie: the safe one over https."""
    return SAFE_COOKIE if request.url.scheme == "https" else COOKIE


def with_session(request: Request, response: Response, token: str) -> Response:
    """Let the browser keep a token, for as long as a session can last."""
    response.set_cookie(
        cookie_name(request), token, max_age=LONGEST_SECONDS, httponly=True, samesite="lax",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return response


def without_session(request: Request, response: Response) -> Response:
    """Let the browser forget its token."""
    response.delete_cookie(
        cookie_name(request), httponly=True, samesite="lax", secure=request.url.scheme == "https"
    )
    return response


async def private_page(request: Request, template: str, *, http_status: int = 200, **shown: Any) -> Response:
    """A page that nobody keeps: neither a proxy nor the browser."""
    return HTMLResponse(await render(request, template, **shown), http_status, PRIVATE)


def gone_to(path: str) -> Response:
    """Go on at a page of ours after a form."""
    return RedirectResponse(path, 303, PRIVATE)


def to_sign_in(back: str) -> Response:
    """Go to where one signs in, and from there back."""
    return RedirectResponse(with_query(HOME, next=back), 302, PRIVATE)


def own_path(text: str) -> str:
    """A path of ours; that of the account when the text is another site's."""
    return text if is_own_path(text) and len(text) <= 500 else HOME
