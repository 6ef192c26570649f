"""The words of pages in German: cases, plurals and the order of words are those of the language."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from explorer.languages import texts
from explorer.languages.catalogue import load_catalogues
from explorer.languages.phrases import Phrase, said
from explorer.pages import formats, node_words, rule_words, supply_words, words
from explorer.pages.supply_charts import moment
from explorer.queries.node_results import Eta
from explorer.queries.results import Shielded
from explorer.queries.rules_results import OneOff
from indexer.chain.params import COIN

NOW = 1_800_000_000


@pytest.fixture(autouse=True)
def german() -> Iterator[None]:
    """Requests in German, until the test is over."""
    load_catalogues()
    token = texts._CURRENT.set("de")
    yield
    texts._CURRENT.reset(token)


@pytest.mark.parametrize(
    ("tell", "expected"),
    [
        (lambda: formats.age(NOW - 86_400, NOW), "vor 1 Tag"),
        (lambda: formats.age(NOW - 200_000, NOW), "vor 2 Tagen"),
        (lambda: formats.age(NOW + 600, NOW), "in 10 Minuten"),
        (lambda: formats.duration(200_000), "2 Tage"),
        (lambda: formats.count(2_400, "block"), "2,400 Blöcke"),
        (lambda: formats.size(999), "999 Bytes"),
        (lambda: formats.listed(["Kadena", "Ergo", "Base"]), "Kadena, Ergo und Base"),
        (lambda: node_words.span(Eta(180_000, 200_000, 300_000)), "2 bis 3.5 Tagen"),
        (lambda: node_words.span(Eta(259_200, 259_200, 259_200)), "3 Tagen"),
        (lambda: node_words.long(118_000), "32.8 Stunden"),
        (lambda: node_words.long(86_400 * 3), "3 Tage"),
        (lambda: node_words.ahead(101, 100, 30.0), "in 1 Block (etwa 30 Sekunden)"),
        (lambda: node_words.ahead(98, 100, 30.0), "vor 2 Blöcken"),
        (lambda: node_words.position(16, 3_376), "17 von 3,376"),
        (lambda: node_words.STATUSES["dos"], "DoS"),
        (lambda: words.KINDS["transfer"], "Überweisung"),
        (lambda: words.settled(1).text, "1 Bestätigung"),
        (lambda: words.shielded_sentence(Shielded(0, COIN, 0, 2, 0, 0)), "2 JoinSplits: 1 FLUX aus dem Sprout-Pool."),
        (lambda: rule_words.UPGRADES["flux"][0], "Flux"),
        (lambda: rule_words.collaterals((10_000 * COIN, 1_000 * COIN)), "10,000 oder 1,000"),
        (lambda: rule_words.one_off(OneOff("exchange", 540, 540, 1, 1, "t1")), "einmal, in Block 540"),
        (lambda: supply_words.STATES["within"].text, "Eingehalten"),
        (lambda: supply_words.compact(440_000_000 * COIN), "440 Mio."),
        (lambda: supply_words.capital(Phrase("halving %(number)s", number=2)), "Halbierung 2"),
        (lambda: moment(1_700_000_000, 30 * 86_400), "14. Nov"),
        (lambda: said(Phrase("not marked, %(number)s", number=2)), "not marked, 2"),
    ],
)  # fmt: skip
def test_german(tell: Callable[[], str], expected: str) -> None:
    assert tell() == expected
