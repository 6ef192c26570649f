"""Numbers, times and sentences for people."""

from __future__ import annotations

from dataclasses import replace

import pytest

from explorer.pages import formats, words
from explorer.queries.results import Delegates, NodeEvent, Shielded
from explorer.queries.status_results import Progress
from tests.site.test_hostile import HASH, NODE

NOW = 1_800_000_000


@pytest.mark.parametrize(
    ("zatoshi", "signed", "expected"),
    [
        (0, False, ("", "0", "", "00000000")),
        (1, False, ("", "0", "00000001", "")),
        (562_500_000, False, ("", "5", "625", "00000")),
        (2_920_025_259_824_301, False, ("", "29,200,252", "59824301", "")),
        (100_000_000_000, False, ("", "1,000", "", "00000000")),
        (-150_000_000, True, ("\u2212", "1", "5", "0000000")),
        (150_000_000, True, ("+", "1", "5", "0000000")),
        (0, True, ("", "0", "", "00000000")),
    ],
)
def test_amounts(zatoshi: int, signed: bool, expected: tuple[str, str, str, str]) -> None:
    assert formats.amount(zatoshi, signed=signed) == formats.Amount(*expected)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "just now"),
        (4, "just now"),
        (-4, "just now"),
        (5, "5 seconds ago"),
        (59, "59 seconds ago"),
        (60, "1 minute ago"),
        (119, "1 minute ago"),
        (7_200, "2 hours ago"),
        (86_400, "1 day ago"),
        (31_557_600, "1 year ago"),
        (-600, "10 minutes ahead"),
    ],
)
def test_ages(seconds: int, expected: str) -> None:
    assert formats.age(NOW - seconds, NOW) == expected


def test_moments_sizes_numbers_and_paths() -> None:
    assert formats.utc(1_795_289_943) == "2026-11-21 19:39:03 UTC"
    assert formats.iso(1_795_289_943) == "2026-11-21T19:39:03Z"
    assert formats.size(1) == "1 byte"
    assert formats.size(999) == "999 bytes"
    assert formats.size(1_234) == "1.2 kB"
    assert formats.size(2_000_000) == "2.0 MB"
    assert formats.duration(0) == "0 seconds"
    assert formats.decimal(10.312597964429768) == "10.3126"
    assert formats.decimal(1.0) == "1"
    assert formats.daemon_version(9_000_650) == "9.0.6"
    assert formats.flux(150_000_000_000) == "1,500 FLUX"
    assert formats.flux(-50_000_000) == "\u22120.5 FLUX"
    assert formats.head(HASH) + formats.tail(HASH) == HASH
    assert formats.outpoint_path(f"{HASH}:3") == f"/tx/{HASH}#out-3"
    assert formats.output_path(HASH, 200) == f"/tx/{HASH}?out=200#out-200"
    assert formats.input_path(HASH, 399) == f"/tx/{HASH}?in=200#in-399"


@pytest.mark.parametrize(
    ("confirmations", "tone", "text"),
    [
        (-1, "poor", "Orphaned"),
        (0, "poor", "Unconfirmed"),
        (1, "fair", "1 confirmation"),
        (9, "fair", "9 confirmations"),
        (10, "good", "10 confirmations"),
    ],
)
def test_how_deep_a_block_lies_is_said_in_words_too(confirmations: int, tone: str, text: str) -> None:
    assert words.settled(confirmations) == words.Badge(tone, text)


@pytest.mark.parametrize(
    ("index", "badge", "sentence"),
    [
        (Progress("following", 0), "Following the chain", "follows the daemon"),
        (Progress("following", 1), "Following the chain", "1 block behind the daemon"),
        (Progress("catching_up", 9000), "Catching up", "9,000 blocks behind the daemon"),
        (Progress("stalled", 12), "Stalled", "nothing has been indexed for two minutes"),
        (Progress("following", None), "Daemon not heard", "has not been heard"),
    ],
)
def test_how_the_index_keeps_up(index: Progress, badge: str, sentence: str) -> None:
    assert words.index_badge(index).text == badge
    assert sentence in words.index_sentence(index, 2400)


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (replace(NODE, event="start"), "Registers a Nimbus node."),
        (replace(NODE, event="start", payee_type="p2sh"), "with collateral behind a script"),
        (replace(NODE, event="start", payee_type="foundation"), "node of the foundation"),
        (NODE, "for the first time after its start"),
        (replace(NODE, event="update"), "Keeps a Nimbus node confirmed."),
    ],
)
def test_node_transactions_are_explained(event: NodeEvent, sentence: str) -> None:
    assert sentence in words.event_sentence(event)


def test_delegates_and_shielded_parts_are_explained() -> None:
    assert "2 delegate keys" in words.delegates_sentence(Delegates(True, "update", ("02", "03")))
    assert "Names no" in words.delegates_sentence(Delegates(True, "update", ()))
    assert "by a delegate" in words.delegates_sentence(Delegates(True, "signing", ()))
    inwards, outwards = Shielded(5_000_000_000, 0, 0, 1, 0, 0), Shielded(0, 1, 0, 2, 0, 0)
    assert words.shielded_sentence(inwards) == "1 JoinSplit: 50 FLUX into the Sprout pool."
    assert words.shielded_sentence(outwards) == "2 JoinSplits: 0.00000001 FLUX out of the Sprout pool."
    assert "1,250 FLUX out of the Sapling pool" in words.shielded_sentence(Shielded(0, 0, 125_000_000_000, 0, 3, 0))
    assert "1 FLUX into the Sapling pool" in words.shielded_sentence(Shielded(0, 0, -100_000_000, 0, 0, 2))
    assert "nothing crosses" in words.shielded_sentence(Shielded(0, 0, 0, 0, 1, 1))
