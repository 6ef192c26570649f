"""What a load asks: questions of an explorer of the demo network, and the script that has wrk ask them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import islice
from random import Random

import httpx

PAGE = {"Accept": "text/html,application/xhtml+xml", "Accept-Encoding": "gzip"}
API = {"Accept": "application/json", "Accept-Encoding": "gzip"}
BLOCKS = 5  # of each kind of question
ADDRESSES = 20  # in one question for balances
SETTLED = 10  # blocks below the tip: the coinbase of one that is reorganised away is found no more

SCRIPT = """
local questions = {}
local at = math.random(1000000)
function init(args)
%s
end
function request()
  at = at %% #questions + 1
  local question = questions[at]
  return type(question) == "function" and question() or question
end
%s
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT %%d %%d %%d %%d %%d\\n", summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True, slots=True)
class Question:
    """A request; with ``any_of`` a number from 1 to that stands for ``%d`` in the path, another one each time."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    any_of: int = 0


def script(questions: list[Question], pause_ms: int = 0) -> str:
    """A script for wrk that asks them in turn, beginning anywhere, with pauses of that length on the mean."""
    lines = (f"  questions[{n}] = {_formatted(q)}" for n, q in enumerate(questions, 1))
    pause = f"function delay() return math.random(0, {2 * pause_ms}) end" if pause_ms else ""
    return SCRIPT % ("\n".join(lines), pause)


def _formatted(q: Question) -> str:
    """What a question is made by: once, or each time anew where ``any_of`` numbers stand in its path."""
    path = _lua(q.path) if not q.any_of else f'({_lua(q.path)}):format(math.random({q.any_of}))'
    made = f"wrk.format({_lua(q.method)}, {path}, {_table(q.headers)}, {_lua(q.body)})"
    return f"function() return {made} end" if q.any_of else made


def _table(headers: dict[str, str]) -> str:
    return "{" + ", ".join(f"[{_lua(name)}] = {_lua(value)}" for name, value in headers.items()) + "}"


def _lua(text: str) -> str:
    """A text as Lua writes it; what is asked is plain ASCII."""
    return json.dumps(text)


def hot(client: httpx.Client) -> list[Question]:
    """Questions that are answered from memory: of the API, one in three by who has the answer already."""
    asked = [Question("GET", path, API) for path in _api_paths(client)]
    return _shuffled(asked + _known(client, asked[::3]))


def mixed(client: httpx.Client) -> list[Question]:
    """What visitors, wallets and dashboards ask: pages and the API, with blocks that nobody else asks for."""
    pages = [Question("GET", path, PAGE) for path in _page_paths(client)]
    answers = [Question("GET", path, API) for path in (*_api_paths(client), "/api/v1/status", "/api/v1/status")]
    blocks = [Question("GET", "/api/v1/blocks/%d", API, any_of=int(_blocks(client)[0]["height"]))] * 2
    body = json.dumps({"addresses": _addresses(client, ADDRESSES)})
    balances = [Question("POST", "/api/v1/balances", API | {"Content-Type": "application/json"}, body)] * 2
    asked = pages + answers + blocks + balances
    return _shuffled(asked + _known(client, pages[::3] + answers[::3]))


def _known(client: httpx.Client, questions: list[Question]) -> list[Question]:
    """The same, asked by who has the answer."""
    tags = ((q, client.get(q.path, headers=q.headers).headers.get("etag")) for q in questions)
    return [Question(q.method, q.path, q.headers | {"If-None-Match": tag}) for q, tag in tags if tag]


def _shuffled(questions: list[Question]) -> list[Question]:
    Random(1).shuffle(questions)
    return questions


def _blocks(client: httpx.Client) -> list[dict[str, str]]:
    found: list[dict[str, str]] = client.get("/api/v1/blocks?limit=60").raise_for_status().json()["items"]
    settled = found[SETTLED:]
    return settled[:: len(settled) // BLOCKS][:BLOCKS]


def _transactions(client: httpx.Client) -> list[str]:
    paths = (f"/api/v1/blocks/{block['hash']}/transactions?limit=2" for block in _blocks(client))
    return [item["txid"] for path in paths for item in client.get(path).raise_for_status().json()["items"]]


def _addresses(client: httpx.Client, count: int) -> list[str]:
    items = client.get(f"/api/v1/richlist?limit={count}").raise_for_status().json()["items"]
    return list(islice((item["address"] for item in items), count))


def _page_paths(client: httpx.Client) -> list[str]:
    blocks, transactions = _blocks(client), _transactions(client)[:BLOCKS]
    return [
        "/", "/", "/", "/blocks", "/nodes", "/supply",
        *(f"/block/{block['height']}" for block in blocks),
        *(f"/tx/{txid}" for txid in transactions),
        *(f"/address/{address}" for address in _addresses(client, BLOCKS)),
    ]  # fmt: skip


def _api_paths(client: httpx.Client) -> list[str]:
    blocks, transactions = _blocks(client), _transactions(client)[:BLOCKS]
    return [
        "/api/v1/supply", "/api/v1/home", "/api/v1/blocks", "/api/v1/tiers",
        *(f"/api/v1/tiers/{tier}/queue" for tier in ("cumulus", "nimbus", "stratus")),
        *(f"/api/v1/blocks/{block['hash']}" for block in blocks),
        *(f"/api/v1/transactions/{txid}" for txid in transactions),
        *(f"/api/v1/addresses/{address}" for address in _addresses(client, BLOCKS)),
    ]  # fmt: skip
