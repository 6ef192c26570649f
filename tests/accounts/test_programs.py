"""The API of an account: a token for a signature, and everything that the pages do."""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonschema_rs
import pytest

from explorer.api import signed_in
from explorer.api.openapi import document
from tests.accounts.visiting import ALICE, BOB, Browser
from tests.explorer.client import Client
from tests.fuzz.closed import closed

PAID = "t2GoxS2SRmLQDnTyWePHjKD3izvFsKUAjrH"
A = "/api/v1/account"


@cache
def described() -> Any:
    """The OpenAPI document of the account's part of the API, in which every object has the fields that it names."""
    return closed(document(signed_in.api.endpoints))


class Program:
    """A client with a token; every answer is checked against the OpenAPI document."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.headers: dict[str, str] = {}
        self.document = described()

    def ask(self, path: str, body: dict[str, Any] | None = None, status: int = 200) -> Any:
        """GET, or POST with a body."""
        method = "GET" if body is None else "POST"
        response = self.client.request(method, A + path, json=body, headers=self.headers)
        assert response.status_code == status, response.text
        assert response.headers["cache-control"] == "no-store" and "etag" not in response.headers
        declared = self.document["paths"][A + path][method.lower()]["responses"][str(status)]
        schema = declared["content"]["application/json"]["schema"]
        jsonschema_rs.validate({**schema, "components": self.document["components"]}, response.json())
        return response.json()

    def sign_in(self) -> None:
        """Get a token."""
        asked = self.ask("/challenges", {"address": ALICE.address})
        begins = f"Let a program use my account of Flux Explorer at explorer as {ALICE.address}. Asked for 20"
        assert asked["message"].startswith(begins)
        answer = {"nonce": asked["nonce"], "address": ALICE.address, "signature": ALICE.sign(asked["message"])}
        self.headers = {"Authorization": f"Bearer {self.ask('/sessions', answer)['token']}"}
        self.ask("/sessions", answer, 400)


@pytest.fixture
def program(browser: Browser) -> Program:
    """A program that has a token of Alice's."""
    made = Program(browser.client)
    made.headers = {"Authorization": f"Bearer {browser.token(ALICE, 'program')}"}
    return made


def test_a_program_does_what_the_pages_do(program: Program, browser: Browser) -> None:
    program.sign_in()
    assert program.ask("")["watches"] == []
    payee = browser.client.json("/api/v1/nodes?limit=1")["items"][0]["address"]
    kept = program.ask("/watches", {"kind": "payee", "entry": payee, "note": "pool"})
    assert [(w["kind"], w["entry"], w["note"]) for w in kept["watches"]] == [("payee", payee, "pool")]
    found = program.ask("/watched")
    assert found["addresses"][0]["balance"] == browser.client.json(f"/api/v1/addresses/{payee}")["balance"]
    assert found["nodes"]["total"] > 0 and found["credits"]
    feed = program.ask("/feed", {})
    assert browser.client.get(feed["csv"]).status_code == 200 and program.ask("")["feed"] is True
    assert program.ask("/feed", {"revoke": True})["csv"] is None
    made = program.ask("/webhooks", {"url": "https://shop.example/", "addresses": [PAID], "min_confirmations": 3})
    id = made["webhook"]["id"]
    for action, paused in (("test", False), ("pause", True), ("resume", False)):
        assert program.ask("/webhooks/change", {"id": id, "action": action})["items"][0]["paused"] is paused
    assert program.ask("/webhooks")["items"][0]["waiting"] is True
    assert program.ask("/export")["kept"]["webhooks"][0]["hook"]["secret"] == made["secret"]
    assert program.ask("/webhooks/change", {"id": id, "action": "delete"})["items"] == []
    assert program.ask("/watches/remove", {"kind": "payee", "entry": payee})["watches"] == []
    program.ask("/delete", {"confirm": False}, 400)
    assert program.ask("/delete", {"confirm": True})["deleted"] is True
    program.ask("", status=401)


def test_a_token_is_for_programs_and_a_cookie_for_browsers(program: Program, browser: Browser) -> None:
    token = program.headers["Authorization"].partition(" ")[2]
    browser.cookies["session"] = token
    assert "Who are you?" in browser.page("/account").one("main").text
    browser.cookies.clear()
    browser.sign_in(ALICE)
    own, program.headers = program.headers, {"Authorization": f"Bearer {browser.cookies['session']}"}
    program.ask("", status=401)
    program.headers = {"Cookie": f"session={token}"}
    program.ask("", status=401)
    program.headers = own
    assert program.ask("/sign-out", {"everywhere": True})["sessions"] == 2
    program.ask("", status=401)


def test_every_route_wants_a_token(client: Client) -> None:
    guarded = [endpoint for endpoint in signed_in.api.endpoints if endpoint.signed_in]
    assert len(guarded) == len(signed_in.api.endpoints) - 2
    for endpoint in guarded:
        for value in ("", "Bearer", "Bearer ", "Basic abc", f"Bearer {'x' * 3000}", b"Bearer \xff\xfe"):
            body = {"headers": {"Authorization": value}} | ({"content": b"{}"} if endpoint.method == "POST" else {})
            response = client.request(endpoint.method, endpoint.path, **body)
            assert (response.status_code, response.json()["error"]["code"]) == (401, "not_signed_in"), endpoint.path


@pytest.mark.parametrize(("path", "body", "status"), [
    ("/challenges", {}, 400), ("/challenges", {"address": 5}, 400), ("/challenges", {"address": "x", "y": 1}, 400),
    ("/challenges", {"address": "x" * 70_000}, 413), ("/sessions", {"nonce": {"$ne": ""}, "address": "x"}, 400),
    ("/watches", {"kind": {"$gt": ""}, "entry": PAID}, 400), ("/watches", {"kind": "node", "entry": "x"}, 400),
    ("/watches/remove", {"kind": "node", "entry": "x"}, 404), ("/feed", {"revoke": "yes"}, 400),
    ("/webhooks", {"url": "http://10.0.0.1/"}, 400), ("/webhooks", {"url": 1}, 400),
    ("/webhooks", {"url": "https://a.example/", "addresses": [BOB.address]}, 400),
    ("/webhooks", {"url": "https://a.example/", "addresses": [{"$ne": 1}]}, 400),
    ("/webhooks/change", {"id": "0", "action": "test"}, 404), ("/delete", {"confirm": 1}, 400),
])  # fmt: skip
def test_what_is_refused(program: Program, path: str, body: dict[str, Any], status: int) -> None:
    program.ask(path, body, status)
