"""Texts of answers: English as they are, and said in the language of a request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from gettext import NullTranslations

import pytest

from explorer.errors import AboveTip, BadRequest
from explorer.languages import Told, texts
from explorer.languages.catalogue import CATALOGUES
from explorer.languages.phrases import Phrase, said
from explorer.queries.reductions import NAMES, era_name
from indexer.chain.eras import Era


class Loud(NullTranslations):
    """A language in which every message is in capitals, its places as they are."""

    def gettext(self, message: str) -> str:
        """The message in capitals."""
        return "".join(part if part.startswith("%(") else part.upper() for part in split(message))


def split(message: str) -> Iterator[str]:
    """The places of a message, and what is between them."""
    while "%(" in message:
        before, _, rest = message.partition("%(")
        name, _, message = rest.partition(")s")
        yield from (before, f"%({name})s")
    yield message


@pytest.fixture(autouse=True)
def capitals(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Requests in capitals, until the test is over."""
    monkeypatch.setitem(CATALOGUES, "loud", Loud())
    token = texts._CURRENT.set("loud")
    yield
    texts._CURRENT.reset(token)


def test_a_phrase_is_english_for_programs_and_translated_for_people() -> None:
    phrase = Phrase("Next: %(era)s at block %(height)s", era=Phrase("halving %(number)s", number=2), height=657_850)
    assert phrase == "Next: halving 2 at block 657850"
    assert json.dumps({"label": phrase}) == '{"label": "Next: halving 2 at block 657850"}'
    assert said(phrase) == "NEXT: HALVING 2 AT BLOCK 657850"
    assert said("as it is, 100 %") == "as it is, 100 %"
    assert Phrase("100 % of it") == "100 % of it"


@pytest.mark.parametrize(
    ("error", "english", "told"),
    [
        (AboveTip(9, 5), "height 9 is above the tip: the index is at height 5",
         "HEIGHT 9 IS ABOVE THE TIP: THE INDEX IS AT HEIGHT 5"),
        (BadRequest(Phrase("%(text)s is no height", text="'x'")), "'x' is no height", "'x' IS NO HEIGHT"),
        (BadRequest("not marked"), "not marked", "not marked"),
        (BadRequest(), "", ""),
    ],
)  # fmt: skip
def test_errors_are_told_to_programs_and_to_people(error: BadRequest, english: str, told: str) -> None:
    assert (str(error), said(error.message)) == (english, told)


def test_every_era_has_a_name_in_both() -> None:
    for kind in NAMES:
        name = era_name(Era(kind, 3, 0, None, 0))
        assert said(name) == name.upper()


def test_a_table_is_read_in_the_language_of_whoever_looks() -> None:
    table = Told({1: ("good", "Within"), 2: ("poor", "Exceeded")}, lambda pair: (pair[0], texts._(pair[1])))
    assert dict(table) == {1: ("good", "WITHIN"), 2: ("poor", "EXCEEDED")}
    texts.speak("en")
    assert table[2] == ("poor", "Exceeded")
    assert (len(table), 3 in table) == (2, False)
