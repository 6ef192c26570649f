"""How the index keeps up, from what ``meta`` says."""

from __future__ import annotations

import pytest

from explorer.meta import STALLED_SECONDS, Meta, Tip

TIP = Tip(100, bytes(32), 0, 1, False, 0)


@pytest.mark.parametrize(
    ("daemon", "idle", "state", "lag"),
    [
        ({}, 0, "catching_up", None),
        ({"height": 100}, 0, "following", 0),
        ({"height": 99}, 0, "following", 0),
        ({"height": 102}, 0, "following", 0),
        ({"height": 103}, 0, "catching_up", 3),
        ({"height": 100, "reachable": True}, STALLED_SECONDS + 1, "following", 0),
        ({"height": 101, "reachable": True}, STALLED_SECONDS + 1, "stalled", 1),
        ({"height": 103, "reachable": True}, STALLED_SECONDS + 1, "stalled", 3),
        ({"height": 103, "reachable": True}, STALLED_SECONDS, "catching_up", 3),
        ({"height": 103}, STALLED_SECONDS + 1, "catching_up", 3),
    ],
)
def test_the_state_of_the_index(daemon: dict[str, object], idle: float, state: str, lag: int | None) -> None:
    meta = Meta(TIP, daemon=daemon, idle_seconds=idle)
    assert (meta.state, meta.lag) == (state, lag)
