"""A page in the browser that writes down what goes wrong while it is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

DESKTOP = (1280, 900)
PHONE = (390, 844)
Colours = Literal["light", "dark"]


@dataclass
class Watched:
    """An open page of the site and ``complaints`` about it: of the console, of scripts, of requests."""

    page: Page
    origin: str
    complaints: list[str] = field(default_factory=list)
    status: int = 0

    def go(self, path: str) -> Page:
        """Load a path of the site; its status is in ``status``, whatever it is."""
        response = self.page.goto(self.origin + path, wait_until="load")
        self.status = response.status if response else 0
        return self.page

    def resize(self, size: tuple[int, int]) -> None:
        """Give the window another size, px."""
        self.page.set_viewport_size({"width": size[0], "height": size[1]})

    def listen(self) -> None:
        """Write down from now on."""
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self._complain("script", str(error)))
        self.page.on("request", self._asked)
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._answered)

    def _complain(self, who: str, what: str) -> None:
        self.complaints.append(f"{urlsplit(self.page.url).path}: {who}: {what}")

    def _said(self, message: ConsoleMessage) -> None:
        own_status = message.location.get("url") == self.page.url and message.text.startswith("Failed to load resource")
        if message.type in ("error", "warning") and not own_status:  # an error page is allowed to be one
            self._complain("console", message.text)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((f"{self.origin}/", "data:", "blob:")):
            self._complain("asked elsewhere", request.url)

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # leaving a page ends its stream of events, and icons on their way
            self._complain("failed", f"{request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and not response.request.is_navigation_request():
            self._complain(str(response.status), response.url)


@contextmanager
def watched(
    browser: Browser, origin: str, size: tuple[int, int] = DESKTOP, colours: Colours = "light", script: bool = True,
    **more: Any,
) -> Iterator[Watched]:  # fmt: skip
    """A page of a visitor of its own: nothing is cached, no cookie is set."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=colours, java_script_enabled=script,
        reduced_motion="reduce", **more,
    )  # fmt: skip
    try:
        seen = Watched(context.new_page(), origin)
        seen.listen()
        yield seen
    finally:
        context.close()
