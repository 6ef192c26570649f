"""The interfaces of other servers, asked at random: nothing fails, and what is called JSON is JSON.

Half of what is asked is of the recorded chain, the other half any text: their clients send anything.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from starlette.routing import BaseRoute, Route

from explorer.api import fluxos, insight
from explorer.api.blockbook import routes as blockbook
from tests.fuzz.conftest import SEED, Explorer

CASES: Final = 1_000
DIALECTS: Final[dict[str, list[BaseRoute]]] = {
    "fluxos": fluxos.routes(), "insight": insight.routes(), "blockbook": blockbook.routes(),
}  # fmt: skip
NAMES: Final = (
    "address page pageSize pageNum from to details limit blockDate startTimestamp block q nbBlocks days format index "
    "hashheight verbosity hash verbose high low noorphans logicaltimes height txid n includemempool start end filter "
    "fluxaddress zelcashaddress groupBy confirmed hexstring noTxList addrs"
).split()
PLACE: Final = re.compile(r"\{\w+(?::path)?\}")
NOT_MADE_UP: Final = re.compile(r"/(currency|markets/info)$")
"""What is 503 always: rates of exchange are not known here."""


def paths(dialect: str) -> list[str]:
    """The paths that a dialect answers GET under."""
    return [r.path for r in DIALECTS[dialect] if isinstance(r, Route) and "GET" in (r.methods or ())]


def questions(dialect: str, known: list[str]) -> st.SearchStrategy[tuple[str, str, dict[str, str]]]:
    """A path of a dialect, the same with its places filled, and a query string."""
    value = st.sampled_from(known) | st.text(max_size=12) | st.integers(-2, 10**16).map(str)

    def filled(path: str) -> st.SearchStrategy[tuple[str, str, dict[str, str]]]:
        places = PLACE.findall(path)
        query = st.dictionaries(st.sampled_from(NAMES), value, max_size=3)
        return st.tuples(st.just(path), st.tuples(*(value for _ in places)).map(lambda v: _fill(path, v)), query)

    return st.sampled_from(paths(dialect)).flatmap(filled)


def _fill(path: str, values: tuple[str, ...]) -> str:
    texts = iter(values)
    return PLACE.sub(lambda _: quote(next(texts) or "0", safe=""), path)


@pytest.mark.slow
@pytest.mark.parametrize("dialect", DIALECTS)
def test_nothing_that_is_asked_makes_it_fail(explorer: Explorer, dialect: str) -> None:
    known = sorted({str(value) for values in explorer.values.values() for value in values})

    @seed(SEED)
    @settings(
        max_examples=CASES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(questions(dialect, known))
    def ask(question: tuple[str, str, dict[str, Any]]) -> None:
        template, path, query = question
        answer = explorer.request(method="GET", url=path, params=query)
        assert answer.status_code < 500 or (answer.status_code == 503 and NOT_MADE_UP.search(template))
        if answer.headers.get("content-type", "").startswith("application/json"):
            json.loads(answer.content)

    ask()
