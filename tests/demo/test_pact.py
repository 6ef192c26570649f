"""Questions in Pact to the simulated ledger of Kadena."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from indexer.demo.parallel.pact import Interpreter, PactError

LEDGER = {"fluxswap": Decimal("1.5"), "k:ab": Decimal("0.00000001")}
SUM = "(fold (+) 0.0 (map (lambda (k) (at 'balance (read runonflux.flux.ledger k))) (keys runonflux.flux.ledger)))"
DEFAULT = "(with-default-read runonflux.flux.ledger a {'balance: 0.0} {'balance := b} b)"


def run(code: str) -> Any:
    return Interpreter("runonflux.flux", LEDGER).run(code)


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (SUM, Decimal("1.50000001")),
        ('(runonflux.flux.get-balance "fluxswap")', Decimal("1.5")),
        (f'(map (lambda (a) {DEFAULT}) ["fluxswap", "nobody"])', [Decimal("1.5"), Decimal("0.0")]),
        (f'[{SUM} (map (lambda (a) {DEFAULT}) ["k:ab"])]', [Decimal("1.50000001"), [Decimal("0.00000001")]]),
        ('(try -1.0 (runonflux.flux.get-balance "nobody"))', Decimal("-1.0")),
        ("(fold (+) 0 [1 2, 3])", 6),
        ("{'a: 1, 'b: [2.0]}", {"a": 1, "b": [Decimal("2.0")]}),
        ("1 2", 2),
    ],
)
def test_what_code_is_worth(code: str, value: Any) -> None:
    assert run(code) == value


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ('(runonflux.flux.get-balance "nobody")', "row not found: nobody"),
        ("(coin.get-balance 'k)", "Cannot resolve coin.get-balance"),
        ("(+ 1", "unexpected EOF"),
        (")", r"unexpected '\)'"),
        ('"open', "unexpected"),
        ("{'a 1}", "expected: ':'"),
        ("(+ 1 'a)", "Failure"),
    ],
)
def test_why_code_has_no_value(code: str, message: str) -> None:
    with pytest.raises(PactError, match=message):
        run(code)
