"""A page as a test sees it: its elements, what is wrong with its markup, its text and links."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
SVG_SHAPES = {"path", "rect", "circle"}
SILENT = {"script", "style", "title"}
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</q></li></ul></main><iframe src=//evil.example>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt;\u202emirrored",
]


@dataclass
class Element:
    """An element with its attributes, its text and where it stands."""

    tag: str
    attributes: dict[str, str]
    parents: tuple[str, ...]
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text inside, spaces collapsed."""
        return " ".join("".join(self.pieces).split())

    @property
    def classes(self) -> set[str]:
        """The class names."""
        return set(self.attributes.get("class", "").split())


class Markup(HTMLParser):
    """Parses a page strictly: ``problems`` lists elements that are not closed in order and doubled attributes."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.problems: list[str] = []
        self._open: list[Element] = []
        self.feed(html)
        self.close()
        self.problems += [f"<{element.tag}> is not closed" for element in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.problems.append(f"doubled attribute in <{tag}> at {self.getpos()}")
        attributes = {name: value or "" for name, value in attrs}
        element = Element(tag, attributes, tuple(e.tag for e in self._open))
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag in SVG_SHAPES:
            self._open.pop()
        elif tag not in VOID:
            self.problems.append(f"<{tag}/> at {self.getpos()}")

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1].tag != tag:
            inside = self._open[-1].tag if self._open else "nothing"
            self.problems.append(f"</{tag}> inside of {inside} at {self.getpos()}")
            return
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.pieces.append(data)

    def all(self, tag: str = "", **attributes: str) -> Iterator[Element]:
        """The elements with a tag and attributes; a class among others counts."""
        for element in self.elements:
            if tag and element.tag != tag:
                continue
            if all(
                value in element.classes if name == "class_" else element.attributes.get(name) == value
                for name, value in attributes.items()
            ):
                yield element

    def one(self, tag: str = "", **attributes: str) -> Element:
        """The only element like that."""
        (element,) = self.all(tag, **attributes)
        return element

    def ids(self) -> list[str]:
        """Every id."""
        return [e.attributes["id"] for e in self.elements if "id" in e.attributes]

    def definitions(self) -> dict[str, str]:
        """Terms of definition lists with what is said about them."""
        terms = [e.text for e in self.elements if e.tag == "dt"]
        return dict(zip(terms, [e.text for e in self.elements if e.tag == "dd"], strict=True))

    def rows(self) -> list[list[str]]:
        """The cells of the rows of all tables."""
        found: list[list[str]] = []
        for element in self.elements:
            if element.tag == "tr" and "tbody" in element.parents:
                found.append([])
            elif element.tag == "td":
                found[-1].append(element.text)
        return found
