"""20,000 questions drawn from the OpenAPI document: nothing fails, and every answer is what the document says it is.

Three ways of asking: with values that the recorded chain has, with whatever the document allows, and with what it does
not allow, which must be refused. The draws are the same each time; ``FLUX_FUZZ_SEED`` makes others.
"""

from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from explorer.api import v1
from explorer.api.openapi import document
from tests.fuzz.closed import Document, closed, narrowed, operations
from tests.fuzz.conftest import SEED, Explorer
from tests.fuzz.known import known_of

CASES: Final = 20_000
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
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    known = known_of(explorer.client, DOCUMENT, label, explorer.values) if way == "known" else {}
    method, path = label.split()
    operation = schemathesis.openapi.from_dict(narrowed(DOCUMENT, label, known))[path][method]
    mode = schemathesis.GenerationMode.NEGATIVE if way == "refused" else schemathesis.GenerationMode.POSITIVE
    asked = 0
    expected = [
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_headers_conformance,
    ]
    if way == "refused":
        expected.append(checks.negative_data_rejection)
    if "text/event-stream" not in dict(operations(DOCUMENT))[label]["responses"]["200"]["content"]:
        expected.append(checks.response_schema_conformance)

    @seed(SEED)
    @settings(
        max_examples=SHARES[label, way],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        nonlocal asked
        asked += 1
        case.validate_response(explorer.ask(case), checks=expected)

    ask()
    assert asked >= SHARES[label, way]
