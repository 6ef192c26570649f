"""Templates have no text of their own: whatever people read in them comes from the catalogues."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import nodes

from explorer.pages.render import ENVIRONMENT
from tests.languages.pseudo import NAMES, READ_ALOUD, WORD

FOLDER = Path(__file__).parents[2] / "explorer" / "templates"
TEMPLATES = sorted(path.name for path in FOLDER.glob("*.html"))
CALLS = {"_": 1, "gettext": 1, "ngettext": 2, "pgettext": 2}
"""The functions that translate, each with how many messages it is given."""

ENGLISH = re.compile(r"[a-z] [a-z]|^[A-Z][a-z]+$|^[A-Z][a-z]* |[a-z] $|[a-z][.?!]$")
NO_TEXT = {"find find-large", "Flux Explorer", "PoN", "PoW", "curl ", "parallel chain"}
"""Constants that look like English: classes, names, keys."""


class Texts(HTMLParser):
    """Collects the words of a template in ``found``."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._code = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at the attributes that are read aloud."""
        self._code += tag == "code"
        self.found += [f"{name}={value}" for name, value in attrs if name in READ_ALOUD and words(value or "")]

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        self._code -= tag == "code"

    def handle_data(self, data: str) -> None:
        """Look at a text."""
        if not self._code and words(data):
            self.found.append(" ".join(data.split()))


def words(text: str) -> list[str]:
    """The words of a text that are no names, examples of addresses aside."""
    return [word for word in WORD.findall(re.sub(r"\S*(?:[=/…]|\d)\S*", " ", text)) if word not in NAMES]


def bare(source: str) -> str:
    """A template without its expressions, statements and what stands in ``{% trans %}``."""
    kept, inside, opening = [], False, False
    for _, kind, value in ENVIRONMENT.lex(source):
        if kind == "data":
            kept.append(" " if inside else value)
        elif kind == "block_begin":
            opening = True
        elif opening and kind == "name":
            opening = False
            inside = value == "trans" or (inside and value != "endtrans")
    return "".join(kept)


def constants(node: nodes.Node) -> Iterator[str]:
    """The texts in the expressions below a node that are given to no function that translates."""
    given = 0
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
        given = CALLS.get(node.node.name, 0)
        assert all(isinstance(argument, nodes.Const) for argument in node.args[:given]), f"line {node.lineno}"
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    messages = node.args[:given] if isinstance(node, nodes.Call) else []
    for child in node.iter_child_nodes():
        if child not in messages:
            yield from constants(child)


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_text_is_marked(name: str) -> None:
    source = (FOLDER / name).read_text()
    assert Texts(bare(source)).found == []
    said = {text for text in constants(ENVIRONMENT.parse(source)) if ENGLISH.search(text)}
    assert {text for text in said - NO_TEXT if not re.search(r"\.(cpp|h)\b|[<\"]", text)} == set()


@pytest.mark.parametrize(
    ("source", "texts", "said"),
    [
        ("<p>A text</p>", ["A text"], []),
        ("<p title='A text'>{{ 5 }}</p>", ["title=A text"], []),
        ("<p>{{ 'A text' if x else _('Another') }}</p>", [], ["A text"]),
        ("{% trans n=5 %}All <b>{{ n }}</b>{% endtrans %}left", ["left"], []),
        ("<code>some code</code> JSON <th>IP</th>", [], []),
    ],
)
def test_the_test_itself(source: str, texts: list[str], said: list[str]) -> None:
    assert Texts(bare(source)).found == texts
    assert [text for text in constants(ENVIRONMENT.parse(source)) if ENGLISH.search(text)] == said
