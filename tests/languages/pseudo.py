"""A language that puts every message into brackets: what a page says outside of them was never marked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from gettext import NullTranslations
from html.parser import HTMLParser

OPEN, CLOSE = "⟦", "⟧"
READ_ALOUD = ("alt", "aria-label", "data-label", "placeholder", "title")
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
LITERAL = {"code", "pre", "q", "script", "style", "textarea"}
"""What is quoted as it is: code, texts of the chain, what was typed."""

NAMES = frozenset(
    """
    FLUX Flux Explorer Cumulus Nimbus Stratus Fusion Foundation ZelHash Equihash LWMA Acadia Kamiooka Kamata MAX_MONEY
    API CSV DoS EPS GB HTML IP JSON JoinSplit Markdown PNG POST QR RAM SVG Sapling Sprout UTC URL iCal
    Blockbook FluxOS Insight OpenAPI Prometheus OP_RETURN PoN PoW P2SH Sha ETag Base64
    Algorand Avalanche BNB Base Binance Chain Ergo Ethereum Kadena Polygon Smart Solana Tron
    Mbit MB kB px GHz bytes curl main txid https www zatoshi
    Deutsch English regtest tm multisig nonstandard nulldata pubkey pubkeyhash scripthash
    """.split()
)
WORD = re.compile(r"[^\W\d_]{2,}")
PLAIN = re.compile(r"\S*[\d/_:=?{}<>@]\S*|\S*\w\.\w\S*|…\S*|\S*…")
"""What is no word: hashes, addresses, paths, numbers with their unit."""


class Pseudo(NullTranslations):
    """Every message in brackets."""

    def gettext(self, message: str) -> str:
        """The message in brackets."""
        return f"{OPEN}{message}{CLOSE}"

    def pgettext(self, context: str, message: str) -> str:
        """The message in brackets."""
        return self.gettext(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """The form of the number in brackets."""
        return self.gettext(msgid1 if n == 1 else msgid2)


class Heard(HTMLParser):
    """Collects in ``unmarked`` the words of a page that stand outside of all brackets, with where they stand."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.unmarked: list[str] = []
        self._depth = 0
        self._open: list[tuple[str, bool]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at the attributes that are read aloud."""
        named = {name: value or "" for name, value in attrs}
        quoted = tag in LITERAL or "hash" in named.get("class", "").split() or (tag != "html" and "lang" in named)
        said = {name: named[name] for name in READ_ALOUD if name in named and "lang" not in named}
        if named.get("name", named.get("property")) in ("description", "og:title", "og:description"):
            said["content"] = named["content"]
        if not any(quoted for _, quoted in self._open):
            self.unmarked += [f"{name}: {words}" for name, text in said.items() for words in outside(text, 0)]
        if tag not in VOID:
            self._open.append((tag, quoted))

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        if self._open and self._open[-1][0] == tag:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        """Look at a text."""
        if not any(quoted for _, quoted in self._open):
            where = self._open[-1][0] if self._open else ""
            self.unmarked += [f"<{where}>: {word}" for word in outside(data, self._depth)]
            self._depth += data.count(OPEN) - data.count(CLOSE)


def outside(text: str, depth: int) -> Iterator[str]:
    """The runs of words in a text that stand outside of all brackets, when it begins at a depth of them."""
    bare = []
    for piece in re.split(f"([{OPEN}{CLOSE}])", text):
        if piece == OPEN:
            depth += 1
        elif piece == CLOSE:
            depth -= 1
        elif depth == 0:
            bare.append(piece)
    for run in bare:
        words = [word for word in WORD.findall(PLAIN.sub(" ", run)) if word not in NAMES]
        if words:
            yield " ".join(run.split())
