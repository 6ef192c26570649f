"""Tron, Solana, Kadena, Ergo and Algorand are read from servers that give their documented answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from explorer.parallel.ask import Failed
from explorer.parallel.kadena import ledger_code, local_command
from tests.explorer.parallel.chain import MAIN, at, read
from tests.explorer.parallel.nodes import BLOCKS, COIN, HELD, MINTED, OUTSTANDING, SERVERS, Token, algorand, ergo
from tests.explorer.parallel.servers import Answer, Asked, serving


def reading(key: str, token: Token) -> Any:
    """What the reader of a chain makes of a token."""
    with serving(SERVERS[key](token)) as server:
        path = "/chainweb/0.0/mainnet01" if key == "kda" else ""
        return read(at(key, server.url + path))


@pytest.mark.parametrize("key", SERVERS)
def test_a_reading_is_what_the_chain_says(key: str) -> None:
    found = reading(key, Token())
    assert (found.minted, found.held, found.outstanding) == (MINTED, HELD, OUTSTANDING)
    assert found.block == BLOCKS[key]


@pytest.mark.parametrize("key", SERVERS)
def test_an_address_that_was_never_used_holds_nothing(key: str) -> None:
    held = (HELD[0], 0, *HELD[2:5], 0)
    assert reading(key, Token(held=held)).held == held


@pytest.mark.parametrize("key", [key for key in SERVERS if key != "kda"])
def test_other_decimals_than_the_settings_say_are_refused(key: str) -> None:
    with pytest.raises(Failed, match=r"the token has 6 decimals, the settings say 8"):
        reading(key, Token(decimals=6))


@pytest.mark.parametrize("key", SERVERS)
def test_more_held_than_minted_is_refused(key: str) -> None:
    token = Token(minted=sum(HELD) - 1)
    if key == "kda":  # whose minted is the sum of what is held, so that a node would have to lie
        token.minted = MINTED
        token.change = lambda said: {**said, "result": {"status": "success", "data": [1, said["result"]["data"][1]]}}
    with pytest.raises(Failed, match=r"the issuer holds \d+ zatoshi of \d+ minted"):
        reading(key, token)


def replaced(path: str, value: Any) -> Callable[[Any], Any]:
    """A change that puts a value where ``path`` leads, if it does; ``-`` as the value takes it away."""
    parts: list[Any] = [int(part) if part.isdigit() else part for part in path.split(".")]
    *parents, last = parts

    def change(answer: Any) -> Any:
        place: Any = answer
        try:
            for part in parents:
                place = place[part]
            if value == "-":
                del place[last]
            elif isinstance(place, list) or last in place:
                place[last] = value
        except (KeyError, IndexError, TypeError):
            return answer  # an answer to another question
        return answer

    return change


WRONG: tuple[tuple[str, str, Any, str], ...] = (
    ("trx", "result", {"code": "CONTRACT_EXE_ERROR", "message": b"no such".hex()}, r"declined .*CONTRACT_EXE_ERROR no"),
    ("trx", "result", {"code": "X", "message": "zz"}, r"the node declined decimals\(\): X"),
    ("trx", "result", "yes", r"declined decimals\(\): without a reason"),
    ("trx", "constant_result", [], r"gave no value: is there such a contract"),
    ("trx", "constant_result", [""], r"gave no value"),
    ("trx", "constant_result", [8], r"decimals\(\) is 8: up to 64 hex digits"),
    ("trx", "constant_result", ["-8"], r"hex digits are expected"),
    ("trx", "constant_result", "-", r"the answer has no constant_result"),
    ("trx", "constant_result", ["f" * 64], r"the token has \d+ decimals"),
    ("sol", "0.result.value.amount", 5, r"the amount is 5: digits in a text"),
    ("sol", "0.result.value.amount", "-5", r"digits in a text"),
    ("sol", "0.result.value.amount", "5.0", r"digits in a text"),
    ("sol", "0.result.value.amount", "9" * 79, r"digits in a text"),
    ("sol", "0.result.value.amount", "9" * 30, r"more than can be"),
    ("sol", "0.result.value.decimals", True, r"decimals is True: a whole number"),
    ("sol", "0.result.context", "-", r"the answer has no context"),
    ("sol", "1.result.value", {}, r"are no list"),
    ("sol", "1.result.value.0.account.data.parsed.info.owner", "else", r"is of another owner or token"),
    ("sol", "1.result.value.0.account.data.parsed.info.mint", "else", r"is of another owner or token"),
    ("sol", "1.result.value.0.account.data", ["AAAA", "base64"], r"the answer has no account\.data\.parsed"),
    ("sol", "1.result.value.1.pubkey", f"{MAIN['sol'].issuers[0].address}0", r"is listed twice"),
    ("kda", "result.data", 5, r"chain \d+ gave 5: the sum of a ledger and balances"),
    ("kda", "result.data", [1, [1, 2]], r"gave 2 balances of 6"),
    ("kda", "result.data.0", {"decimal": "-1.0"}, r"the ledger of chain \d+ is '-1.0': a number"),
    ("kda", "result.data.0", {"decimal": "1e9"}, r"a number is expected"),
    ("kda", "result.data.0", {"float": 1}, r"a number is expected"),
    ("kda", "result.data.0", Decimal("-0.5"), r"-0\.5: a number of coins"),
    ("kda", "result.data.0", True, r"True: a number is expected"),
    ("kda", "result.data.0", {"decimal": "9" * 40}, r"a number of coins is expected"),
    ("kda", "result.data.0", {"int": "9" * 25}, r"more than can be"),
    ("kda", "result", {"status": "failure", "error": {"message": "gas  limit"}}, r"chain \d+ declined .*: gas limit"),
    ("kda", "result", {"status": "failure", "error": "no"}, r"chain \d+ declined the call: no"),
    ("kda", "metaData.blockHeight", "7", r"block height is '7'"),
    ("erg", "emissionAmount", "440", r"emitted is '440': a whole number"),
    ("erg", "emissionAmount", -1, r"emitted is -1: a whole number"),
    ("erg", "emissionAmount", Decimal("1.5"), r"emitted is 1\.5: a whole number"),
    ("erg", "emissionAmount", 2**63, r"more than can be"),
    ("erg", "id", "00", r"the answer is about another token"),
    ("erg", "tokens", None, r"are no list"),
    ("erg", "tokens.1.amount", False, r"a balance is False"),
    ("algo", "index", 31566704, r"the answer is about another asset"),
    ("algo", "params.total", True, r"the total is True"),
    ("algo", "params.total", 2**64, r"more than can be"),
    ("algo", "asset-holding.amount", None, r"a balance is None"),
    ("algo", "round", "-", r"the answer has no round"),
)


@pytest.mark.parametrize(("key", "path", "value", "complaint"), WRONG)
def test_absurd_answers_are_refused_in_words(key: str, path: str, value: Any, complaint: str) -> None:
    with pytest.raises(Failed, match=complaint):
        reading(key, Token(change=replaced(path, value)))


def test_all_twenty_chains_of_kadena_are_asked_once() -> None:
    token = Token()
    reading("kda", token)
    assert sorted(map(int, token.asked)) == list(range(20))


def test_whole_amounts_of_kadena_may_come_as_integers() -> None:
    change = replaced("result.data.1.0", {"int": 3})
    found = reading("kda", Token(held=(60 * COIN, *HELD[1:]), minted=MINTED, change=change))
    assert found.held[0] == 20 * 3 * COIN


def test_an_older_node_of_kadena_tells_no_height() -> None:
    assert reading("kda", Token(change=lambda said: {**said, "metaData": None})).block is None


def test_the_code_for_kadena_reads_and_nothing_else() -> None:
    assert ledger_code("m.t", ["a", "k:b"]) == (
        "[(fold (+) 0.0 (map (lambda (k) (at 'balance (read m.t.ledger k))) (keys m.t.ledger))) "
        "(map (lambda (a) (with-default-read m.t.ledger a {'balance: 0.0} {'balance := b} b)) [\"a\" \"k:b\"])]"
    )
    command = json.loads(local_command("1", "testnet04", 3, 1000)["cmd"])
    assert command["signers"] == [] and command["meta"]["sender"] == ""


def test_an_explorer_of_ergo_without_a_network_state_tells_no_height() -> None:
    honest = ergo(Token())

    def answer(asked: Asked) -> Any:
        return Answer(b"{}", 404) if asked.path.endswith("networkState") else honest(asked)

    with serving(answer) as server:
        assert read(at("erg", server.url)).block is None


def test_a_reading_that_is_not_of_one_block_is_taken_twice() -> None:
    token = Token()
    with serving(algorand(token)) as server:
        read(at("algo", server.url), steady=True)
        assert len(server.asked) == 2 * 7


def test_coins_that_move_during_a_reading_make_it_be_taken_again() -> None:
    """A move from the swap to the locked address, seen between the two: once as gone, once as there twice."""
    torn, moved = (*HELD[:2], HELD[2] - COIN, *HELD[3:]), (*HELD[:2], HELD[2] - COIN, HELD[3] + COIN, *HELD[4:])
    token = Token(held=torn)
    turns = iter((torn, moved, moved))

    def answer(asked: Asked) -> Any:
        if asked.path.startswith("/v2/assets"):
            token.held = next(turns)
        return algorand(token)(asked)

    with serving(answer) as server:
        assert read(at("algo", server.url), steady=True).outstanding == OUTSTANDING


def test_who_never_holds_still_gives_no_reading() -> None:
    token = Token()

    def answer(asked: Asked) -> Any:
        if asked.path.startswith("/v2/assets"):
            token.held = (token.held[0] + 1, *HELD[1:])
        return algorand(token)(asked)

    with serving(answer) as server, pytest.raises(Failed, match=r"its balances moved during each of 4 readings"):
        read(at("algo", server.url), steady=True)
