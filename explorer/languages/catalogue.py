"""The languages of the site and their catalogues: gettext's PO files, read once when the site starts."""

from __future__ import annotations

from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FOLDER: Final = Path(__file__).parent
ENGLISH: Final = "en"  # what the texts in the source are written in
LANGUAGES: Final[dict[str, str]] = {ENGLISH: "English", "de": "Deutsch"}
"""Codes of languages, each with its name in that language."""

CATALOGUES: Final[dict[str, NullTranslations]] = {ENGLISH: NullTranslations()}


def po_file(code: str) -> Path:
    """Where the catalogue of a language lies."""
    return FOLDER / code / "LC_MESSAGES" / "messages.po"


def read_catalogue(code: str) -> Catalog:
    """The catalogue of a language as its translators see it; babel's PoFileError names a line that cannot be read."""
    with po_file(code).open("rb") as file:
        return read_po(file, locale=code, abort_invalid=True)


def load_catalogues() -> None:
    """Read what is not read yet: before the first request, because a catalogue takes a tenth of a second."""
    for code in LANGUAGES:
        if code not in CATALOGUES:
            compiled = BytesIO()
            write_mo(compiled, read_catalogue(code))
            compiled.seek(0)
            CATALOGUES[code] = GNUTranslations(compiled)
