"""Bring the catalogues up to date with the texts of the source: ``python -m explorer.languages.update``.

What is translated stays, what is new has an empty translation, what is gone from the source goes. The rules of the
chain mark nothing, for they know no pages: what they say against an address is the message of their error.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file
from babel.messages.pofile import write_po
from jinja2.ext import babel_extract

from explorer.languages.catalogue import ENGLISH, LANGUAGES, po_file, read_catalogue

ROOT: Final = Path(__file__).parents[2]
EXTRACTORS: Final[dict[str, str | Callable[..., Any]]] = {"*.py": "python", "*.html": babel_extract}
MARKS: Final = {**DEFAULT_KEYWORDS, "Phrase": None, "Cursor": None}  # a cursor is of a list with a name
SOURCES: Final[dict[str, dict[str, Any]]] = {"explorer": MARKS, "indexer/chain": {"AddressError": None}}
"""Where texts for people are, and the names of the functions that they are given to."""
TEMPLATE_OPTIONS: Final = {"newstyle_gettext": "true", "trim_blocks": "true", "lstrip_blocks": "true", "silent": "no"}

HEAD: Final = """\
# {language} texts of Flux Explorer.
msgid ""
msgstr ""
"Project-Id-Version: Flux Explorer\\n"
"Language: {code}\\n"
"Plural-Forms: {plural}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def extracted() -> Catalog:
    """All texts that the source marks, in the order of files and lines, untranslated."""
    found = Catalog(project="Flux Explorer", charset="utf-8", fuzzy=False)
    for folder, keywords in SOURCES.items():
        for path in sorted(path for pattern in EXTRACTORS for path in (ROOT / folder).rglob(pattern)):
            for line, message, comments, context in _messages(path, keywords):
                place = path.relative_to(ROOT).as_posix()
                found.add(message, None, [(place, line)], (), comments, context=context)
    return found


def _messages(path: Path, keywords: dict[str, Any]) -> Iterator[tuple[int, Any, list[str], str | None]]:
    method = EXTRACTORS[f"*{path.suffix}"]
    options = TEMPLATE_OPTIONS if path.suffix == ".html" else {}
    yield from extract_from_file(method, path, keywords, ("Translators:",), options, strip_comment_tags=True)


def updated(code: str, found: Catalog) -> Catalog:
    """The catalogue of a language with the texts of ``found``, and the translations that it has for them."""
    catalogue = read_catalogue(code)
    catalogue.update(found, no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    return catalogue


def written(catalogue: Catalog) -> bytes:
    """A catalogue as its file: in the order of the source, without numbers of lines, which change with every edit."""
    file = BytesIO()
    write_po(file, catalogue, 120, omit_header=True, sort_by_file=True, include_lineno=False, ignore_obsolete=True)
    locale = catalogue.locale
    head = HEAD.format(language=locale and locale.english_name, code=locale, plural=catalogue.plural_forms)
    return head.encode() + file.getvalue()


def main() -> int:
    """Write the catalogues anew; exit code 1 when texts are left to translate."""
    found, missing = extracted(), 0
    for code in LANGUAGES:
        if code == ENGLISH:
            continue
        catalogue = updated(code, found)
        po_file(code).write_bytes(written(catalogue))
        left = [message.id for message in catalogue if message.id and not is_translated(message.string)]
        missing += len(left)
        print(f"{po_file(code)}: {len(catalogue)} texts, {len(left)} to translate")
        for text in left[:10]:
            print(f"  {text!r}")
    return 1 if missing else 0


def is_translated(string: str | tuple[str, ...] | list[str] | None) -> bool:
    """Whether a translation is there, in all its forms."""
    return all(string) if isinstance(string, tuple | list) else bool(string)


if __name__ == "__main__":
    sys.exit(main())
