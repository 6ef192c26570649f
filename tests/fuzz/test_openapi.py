"""20,000 questions drawn from the OpenAPI document: nothing fails, and every answer is what the document says it is.

Three ways of asking: with values that the recorded chain has, with whatever the document allows, and with what it does
not allow, which must be refused. The draws are the same each time; ``FLUX_FUZZ_SEED`` makes others.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from explorer.api import v1
from explorer.api.openapi import document
from tests.fuzz.closed import Document, closed, narrowed, operations
from tests.fuzz.conftest import SEED, Explorer
from tests.fuzz.known import known_of
from tests.site.parallel_chains import SITUATIONS

CASES: Final = 20_000
ENOUGH: Final = 100  # where few values are known, all have been drawn by then
CASES_OF_A_SITUATION: Final = 12
OF_ALL_CHAINS: Final = re.compile(r"GET /api/v1/(supply|home|status|parallel|metrics|addresses/.*-mining)")
NOT_KNOWN: Final = ("POST /api/v1/account/sessions",)
"""What nobody can draw: a signature is good for one text."""
WAYS: Final = {"known": 7, "allowed": 2, "refused": 1}
"""The ways of asking, and how they share the cases."""


def strict() -> Document:
    """The document that answers are compared with."""
    return closed(document(v1.api.endpoints))


def shares(described: Document) -> dict[tuple[str, str], int]:
    """How many cases each operation gets in each way: by the number of its parameters, ``CASES`` in all."""
    weights = {
        (label, way): part * (1 + min(3, len(told["parameters"]) + 2 * ("requestBody" in told)))
        for label, told in operations(described)
        for way, part in WAYS.items()
    }
    total, begun, found = sum(weights.values()), 0, {}
    for key, weight in weights.items():
        found[key] = (begun + weight) * CASES // total - begun * CASES // total
        begun += weight
    return found


DOCUMENT: Final = strict()
SHARES: Final = shares(DOCUMENT)


def test_the_cases_are_so_many() -> None:
    assert sum(SHARES.values()) == CASES
    assert min(SHARES.values()) > 10


@pytest.mark.slow
@pytest.mark.parametrize(("label", "way"), list(SHARES))
def test_answers_are_what_the_document_says(explorer: Explorer, label: str, way: str) -> None:
    statuses = asked(explorer, label, way, SHARES[label, way])
    assert statuses.total() >= min(SHARES[label, way], ENOUGH)
    assert way != "known" or statuses[200] or label in NOT_KNOWN, statuses


@pytest.mark.slow
@pytest.mark.parametrize("situation", [name for name in SITUATIONS if name != "fresh"])
def test_answers_about_parallel_chains_are_so_in_every_situation(explorer: Explorer, situation: str) -> None:
    explorer.tell(SITUATIONS[situation])
    try:
        for label in filter(OF_ALL_CHAINS.match, dict(operations(DOCUMENT))):
            assert asked(explorer, label, "known", CASES_OF_A_SITUATION, may_lack=True)[200], label
    finally:
        explorer.tell(SITUATIONS["fresh"])


def asked(explorer: Explorer, label: str, way: str, cases: int, *, may_lack: bool = False) -> Counter[int]:
    """Ask an operation so often in a way, and compare each answer with the document; how many had which status.

    ``may_lack``: what an answer needs need not be there.
    """
    import schemathesis

    known = known_of(explorer.client, DOCUMENT, label, explorer.values) if way == "known" else {}
    method, path = label.split()
    described = dict(operations(DOCUMENT))[label]
    operation = schemathesis.openapi.from_dict(narrowed(DOCUMENT, label, known))[path][method]
    mode = schemathesis.GenerationMode.NEGATIVE if way == "refused" else schemathesis.GenerationMode.POSITIVE
    signed_in = "security" in described and way != "refused"  # a token that is missing is one of the refused
    expected, statuses = checks_of(described, way, may_lack), Counter[int]()

    @seed(SEED)
    @settings(
        max_examples=cases,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        answer = explorer.ask(case, signed_in=signed_in)
        statuses[answer.status_code] += 1
        case.validate_response(answer, checks=expected)

    ask()
    return statuses


def checks_of(described: Document, way: str, may_lack: bool) -> list[Any]:
    """What is checked of the answers of an operation."""
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    expected = [
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_headers_conformance,
    ]
    if not may_lack:
        expected.append(not_a_server_error)
    if way == "refused":
        expected.append(checks.negative_data_rejection)
    if "text/event-stream" not in described["responses"]["200"]["content"]:
        expected.append(checks.response_schema_conformance)
    return expected
