"""Cursors and limits."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import BadRequest
from explorer.paging import Cursor, parse_limit

PARTS = st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=3)


@given(PARTS)
def test_a_cursor_gives_back_its_key(parts: list[int]) -> None:
    cursor = Cursor("blocks", len(parts))
    assert cursor.decode(cursor.encode(*parts)) == tuple(parts)


@given(PARTS)
def test_a_cursor_belongs_to_one_list(parts: list[int]) -> None:
    text = Cursor("blocks", len(parts)).encode(*parts)
    with pytest.raises(BadRequest, match="no cursor of the list of transactions"):
        Cursor("transactions", len(parts)).decode(text)


@given(st.text(max_size=40))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        Cursor("blocks", 1).decode(text)


@pytest.mark.parametrize("spoil", [lambda t: t + "A", lambda t: t[:-1], lambda t: t[1:], lambda t: t + "=", str.lower])
def test_a_changed_cursor_is_refused(spoil: Callable[[str], str]) -> None:
    text = Cursor("blocks", 1).encode(2400)
    with pytest.raises(BadRequest):
        Cursor("blocks", 1).decode(spoil(text))


def test_a_negative_key_is_refused() -> None:
    cursor = Cursor("blocks", 1)
    with pytest.raises(BadRequest):
        cursor.decode(cursor.encode(-1))


@pytest.mark.parametrize(("text", "limit"), [(None, 25), ("1", 1), ("1000", 1000), ("0025", 25)])
def test_limits(text: str | None, limit: int) -> None:
    assert parse_limit(text) == limit


@pytest.mark.parametrize("text", ["", "0", "1001", "-1", "1e3", "٣", "25.0", " 25", "99999999999999999999"])
def test_wrong_limits_are_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="1 to 1000"):
        parse_limit(text)
