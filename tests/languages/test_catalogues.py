"""The catalogues: every text of the source is in them, translated whole, with the places and the markup it has."""

from __future__ import annotations

import re
from copy import deepcopy
from functools import cache
from io import BytesIO

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from explorer.charts.picture import known
from explorer.languages.catalogue import ENGLISH, LANGUAGES, read_catalogue
from explorer.languages.update import updated, written

RENEW = "renew with: python -m explorer.languages.update"
PLACE = re.compile(r"%\(\w+\)s|%%")
TAG = re.compile(r"<[^>]*>")

each_language = pytest.mark.parametrize("code", [code for code in LANGUAGES if code != ENGLISH])


@each_language
def test_a_catalogue_has_the_texts_of_the_source(source: Catalog, code: str) -> None:
    named = {(message.context, forms(message.id)) for message in source if message.id}
    kept = {(message.context, forms(message.id)) for message in messages(code)}
    assert named - kept == set(), f"not in the catalogue: {RENEW}"
    assert kept - named == set(), f"not in the source any more: {RENEW}"


@each_language
def test_renewing_a_catalogue_keeps_its_translations(source: Catalog, code: str) -> None:
    kept = {(m.context, forms(m.id)): forms(m.string) for m in messages(code)}
    source = deepcopy(source)
    source.add("a text that nobody has translated yet")
    renewed = read_po(BytesIO(written(updated(code, source))), locale=code)
    told = {(m.context, forms(m.id)): forms(m.string) for m in renewed if m.id}
    assert told.pop((None, ("a text that nobody has translated yet",))) == ("",)
    assert told == {key: kept.get(key, ("",) * len(text)) for key, text in told.items()}


@each_language
def test_every_text_is_translated(code: str) -> None:
    assert [m.id for m in messages(code) if m.fuzzy or not all(forms(m.string))] == []


@each_language
def test_a_translation_has_the_places_and_the_markup_of_its_text(code: str) -> None:
    """The form for one may leave the number out, as in "this is the first"; its markup is the same."""
    for message in messages(code):
        one, many = forms(message.id)[0], forms(message.id)[-1]
        said = forms(message.string)
        assert set(PLACE.findall(said[-1])) == set(PLACE.findall(many)), message.id
        assert all(set(PLACE.findall(form)) <= set(PLACE.findall(one + many)) for form in said), message.id
        assert all(sorted(TAG.findall(form)) == sorted(TAG.findall(many)) for form in said), message.id
        edges = [(form[:1].isspace(), form[-1:].isspace()) for form in (*said, many)]
        assert len(set(edges)) == 1, message.id


@each_language
def test_a_catalogue_says_how_numbers_are_counted(code: str) -> None:
    catalogue = read_catalogue(code)
    assert {len(forms(m.string)) for m in messages(code) if m.pluralizable} == {catalogue.num_plurals}
    assert str(catalogue.locale) == code


@cache
def messages(code: str) -> tuple[Message, ...]:
    """The messages of a catalogue, its header left out."""
    return tuple(message for message in read_catalogue(code) if message.id)


def forms(text: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    """All forms of a text."""
    return tuple(text) if isinstance(text, tuple | list) else (text or "",)


@each_language
def test_images_can_spell_every_letter(code: str) -> None:
    """The font of preview images has few letters; what it lacks is spelled out, and never a question mark."""
    letters = {letter for message in messages(code) for form in forms(message.string) for letter in form}
    assert {letter for letter in letters if letter.isalpha() and "?" in known(letter)} == set()
