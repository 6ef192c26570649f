"""Requests and replies as bytes: what each reply of a daemon, or of something else, means."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from indexer.errors import Garbled, Refused, SourceError, WarmingUp, WrongCredentials
from indexer.source.rpc import Call, check_status, decode_batch, decode_call, encode_batch, encode_call
from tests import recorded

WHERE = "http://127.0.0.1:16124/"
COUNT = Call("getblockcount")


def reply(result: Any = None, error: Any = None, number: Any = 0) -> bytes:
    return json.dumps({"result": result, "error": error, "id": number}).encode()


def test_requests_carry_positional_params_and_their_place() -> None:
    assert json.loads(encode_call(COUNT)) == {"method": "getblockcount", "params": [], "id": 0}
    batch = json.loads(encode_batch([COUNT, Call("getblockhash", (7,))]))
    assert [(item["method"], item["params"], item["id"]) for item in batch] == [
        ("getblockcount", [], 0),
        ("getblockhash", [7], 1),
    ]


def test_amounts_are_exact() -> None:
    assert decode_call(200, b'{"result":0.10000001,"error":null,"id":0}', COUNT, WHERE) == Decimal("0.10000001")


def test_recorded_errors_are_refusals_with_code_and_words() -> None:
    errors = [c for c in recorded.rpc_calls() if c["method"] != "(http)" and c["http_status"] != 200]
    assert len(errors) > 100
    for call in errors:
        error = call["response"]["error"]
        with pytest.raises(Refused) as caught:
            decode_call(call["http_status"], json.dumps(call["response"]).encode(), Call(call["method"]), WHERE)
        assert (caught.value.code, caught.value.method) == (error["code"], call["method"])
        assert error["message"].startswith(caught.value.reason)


@pytest.mark.parametrize(
    ("status", "body", "expected", "words"),
    [
        (401, b"", WrongCredentials, "rpcuser"),
        (403, b"", SourceError, "rpcallowip"),
        (404, b"", SourceError, "HTTP 404"),
        (405, b"JSONRPC server handles only POST requests", SourceError, "HTTP 405"),
        (500, b"Work queue depth exceeded", WarmingUp, "work queue"),
        (503, b"", WarmingUp, "503"),
        (502, b"<html>bad gateway</html>", Garbled, "502"),
        (200, b"<html>hello</html>", Garbled, "no JSON"),
        (200, b"", Garbled, "no JSON"),
        (200, b'{"result":1', Garbled, "no JSON"),
        (200, b"[" * 100_000, Garbled, "no JSON"),
        (200, b"\xff\xfe{", Garbled, "no JSON"),
        (200, b"7", Garbled, "no JSON-RPC reply"),
        (200, b'{"result":1}', Garbled, "no JSON-RPC reply"),
        (200, reply(1, number=5), Garbled, "out of order"),
        (500, reply(error={"code": -28, "message": "Verifying blocks..."}), WarmingUp, "Verifying blocks"),
        (500, reply(error={"message": "odd"}), Garbled, "without a code"),
        (500, reply(error="odd"), Garbled, "without a code"),
        (404, reply(error={"code": -32601, "message": "Method not found"}), Refused, "Method not found"),
    ],
)
def test_what_a_single_reply_means(status: int, body: bytes, expected: type[SourceError], words: str) -> None:
    with pytest.raises(SourceError, match=words) as caught:
        decode_call(status, body, COUNT, WHERE)
    assert type(caught.value) is expected


def test_a_batch_holds_refusals_in_their_place() -> None:
    body = b"[" + reply(5) + b"," + reply(error={"code": -8, "message": "out of range"}, number=1) + b"]"
    first, second = decode_batch(200, body, [COUNT, Call("getblockhash", (99,))], WHERE)
    assert first == 5
    assert isinstance(second, Refused)
    assert (second.method, second.code) == ("getblockhash", -8)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"[]", Garbled),
        (b"[" + reply(1) + b"]", Garbled),
        (b"[" + reply(1) + b"," + reply(1) + b"]", Garbled),
        (reply(1), Garbled),
        (b"[1, 2]", Garbled),
        (reply(error={"code": -28, "message": "Loading"}), WarmingUp),
        (b"[" + reply(error={"code": -28, "message": "Loading"}) + b"," + reply(1, number=1) + b"]", WarmingUp),
    ],
)
def test_what_a_spoilt_batch_means(body: bytes, expected: type[SourceError]) -> None:
    with pytest.raises(expected):
        decode_batch(200, body, [COUNT, COUNT], WHERE)


def test_a_good_reply_has_no_meaning_of_its_own() -> None:
    for body in (reply(1), b" [1]"):
        check_status(200, body, WHERE)
        check_status(500, body, WHERE)
