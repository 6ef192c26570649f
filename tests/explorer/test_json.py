"""Result objects as JSON, and their schemas."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.api.json import amount_text, encode, schema_of, to_json
from explorer.queries.results import Output, Page, Spend
from explorer.queries.search import Hit, Hits
from explorer.queries.units import ABSENT, Absence, Height, Zatoshi


@given(st.integers(-(2**63), 2**63))
def test_amounts_are_exact(zatoshi: int) -> None:
    text = amount_text(zatoshi)
    assert int(text.replace(".", "")) == zatoshi
    assert text[-9] == "."


@pytest.mark.parametrize(
    ("zatoshi", "text"),
    [(0, "0.00000000"), (1, "0.00000001"), (-1, "-0.00000001"), (562500000, "5.62500000"), (-(10**8), "-1.00000000")],
)
def test_amounts(zatoshi: int, text: str) -> None:
    assert amount_text(zatoshi) == text


SPEND = Spend("ab" * 32, 3, 7)


@pytest.mark.parametrize(
    ("spent_by", "written"),
    [(None, {"spent_by": None}), (ABSENT, {}), (SPEND, {"spent_by": {"txid": "ab" * 32, "n": 3, "height": 7}})],
)
def test_absent_fields_are_left_out_and_none_is_null(spent_by: Spend | None | Absence, written: dict[str, Any]) -> None:
    output = Output(0, 150, None, "nulldata", "text", spent_by)
    assert to_json(output) == {
        "n": 0, "value": "0.00000150", "address": None, "script_type": "nulldata", "text": "text", **written,
    }  # fmt: skip


def test_lists_write_each_item_by_its_own_type() -> None:
    hit = Hit("block", "Block 1", "/block/1")
    assert to_json(Page((hit,), None)) == {"items": [to_json(hit)], "next": None}
    assert to_json(Hits((hit,))) == {"items": [{"kind": "block", "label": "Block 1", "url": "/block/1"}]}


def test_text_is_ascii_even_with_lone_surrogates() -> None:
    assert json.loads(encode({"é": "\ud800"})) == {"é": "\ud800"}
    assert encode({"a": [1]}, pretty=True) == b'{\n  "a": [\n    1\n  ]\n}'


@dataclass(frozen=True)
class Sample:
    """A sample. More of it."""

    amount: Zatoshi
    height: Height | None
    later: int | Absence
    names: tuple[str, ...]
    rates: dict[str, float]


def test_schemas_follow_the_annotations() -> None:
    components: dict[str, Any] = {}
    assert schema_of(Page[Sample], components) == {"$ref": "#/components/schemas/PageSample"}
    assert components["PageSample"]["properties"]["items"] == {
        "type": "array", "items": {"$ref": "#/components/schemas/Sample"},
    }  # fmt: skip
    sample = components["Sample"]
    assert sample["required"] == ["amount", "height", "names", "rates"]
    assert sample["properties"]["amount"]["type"] == "string"
    assert sample["properties"]["height"]["anyOf"] == [
        {"type": "integer", "description": "block height", "minimum": 0}, {"type": "null"},
    ]  # fmt: skip
    assert sample["properties"]["later"] == {"type": "integer"}
    assert sample["properties"]["rates"] == {"type": "object", "additionalProperties": {"type": "number"}}
