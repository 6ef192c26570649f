"""The recorded daemon over real HTTP JSON-RPC on loopback: it switches branches and misbehaves on command.

In a test: ``with ReplayDaemon() as daemon: ... daemon.chain.reorg("R1") ... daemon.misbehave("warming_up")``. As a
process of its own: ``python -m tests.replay_daemon --height 100``; it prints one JSON line with the URL of the daemon
and the URL of its control, which takes the methods of ``Control`` with the prefix ``replay_`` and is always polite.
"""

from __future__ import annotations

import argparse
import base64
import json
import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from threading import Event, RLock
from typing import Any

from indexer.demo.http import HttpServer, Reply
from tests import recorded
from tests.replay_chain import ReplayChain, RpcError

HTTP_MISBEHAVIOURS = {
    "queue_full": (500, "text/plain", b"Work queue depth exceeded"),
    "unauthorized": (401, "text/html; charset=ISO-8859-1", b""),
    "forbidden": (403, "text/html; charset=ISO-8859-1", b""),
    "wrong_path": (404, "text/html; charset=ISO-8859-1", b""),
    "no_post": (405, "text/html", b"JSONRPC server handles only POST requests"),
    "shutting_down": (503, "text/html", b"Service Unavailable"),
    "html": (200, "text/html", b"<html><body>It works!</body></html>"),
    "broken_json": (200, "application/json", b'{"result":[1,2'),
    "empty_batch": (200, "application/json", b"[]\n"),
}
MISBEHAVIOURS = (
    *HTTP_MISBEHAVIOURS,
    *("drop", "hang", "truncated", "slow_drip", "warming_up", "wrong_block", "garbage_hex", "garbage_hash"),
    *("pruned", "forgets_blocks", "shuffled", "refusing", "odd_status"),
)
_STATUS_OF_CODE = {-32600: 400, -32601: 404}


def dumps(value: Any) -> str:
    """JSON as the daemon writes it: amounts keep the digits they were recorded with."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{dumps(v)}" for k, v in value.items() if v is not None) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dumps, value)) + "]"
    return format(value, "f") if isinstance(value, Decimal) else json.dumps(value)


class ReplayDaemon:
    """A daemon on a free port of 127.0.0.1; ``calls`` counts what it was asked."""

    def __init__(
        self, tip: int | str = recorded.TIP, *, port: int = 0, user: str = "replay", password: str = "s3cret"
    ) -> None:
        self.chain = ReplayChain(tip)
        self.user, self.password = user, password
        self.calls: Counter[str] = Counter()
        self.requests = 0
        self.lock = RLock()
        self.released = Event()
        self._before: dict[str, list[Callable[[], object]]] = {}
        self._misbehaviour: str | None = None
        self._times: int | None = None
        self._port = port
        self._server: HttpServer | None = None
        self.up()

    def __enter__(self) -> ReplayDaemon:
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}/"

    # -- commands

    def down(self) -> None:
        """Stop listening and break every connection."""
        self.released.set()
        if self._server is not None:
            self._server.stop()
            self._server = None

    def up(self) -> None:
        """Listen again, on the same port."""
        self.released.clear()
        if self._server is None:
            self._server = HttpServer("127.0.0.1", self._port, self.reply)
            self._port = self._server.server_address[1]

    def misbehave(self, kind: str, times: int | None = None) -> None:
        """Misbehave (one of MISBEHAVIOURS) for so many requests, or until ``behave``."""
        if kind not in MISBEHAVIOURS:
            raise ValueError(f"unknown misbehaviour {kind}")
        self.released.clear()
        self._misbehaviour, self._times = kind, times

    def behave(self) -> None:
        """Be a good daemon again."""
        self._misbehaviour = None
        self.released.set()

    def before(self, method: str, command: Callable[[], object]) -> None:
        """Run ``command`` once, just before the next call of ``method`` is answered."""
        self._before.setdefault(method, []).append(command)

    # -- answering

    def reply(self, request: BaseHTTPRequestHandler, body: bytes) -> Reply | None:
        """The reply to a request; None breaks the connection."""
        self.requests += 1
        kind = self._take_misbehaviour()
        if kind in HTTP_MISBEHAVIOURS:
            return Reply(*HTTP_MISBEHAVIOURS[kind])
        if request.command != "POST":
            return Reply(*HTTP_MISBEHAVIOURS["no_post"])
        if request.path != "/":
            return Reply(*HTTP_MISBEHAVIOURS["wrong_path"])
        login = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {login}":
            return Reply(*HTTP_MISBEHAVIOURS["unauthorized"])
        reply = self._json_reply(body, kind)
        if kind in ("drop", "hang", "truncated", "slow_drip"):
            self._break(request, kind, reply)
            return None
        return reply

    def _take_misbehaviour(self) -> str | None:
        with self.lock:
            if self._misbehaviour is None or self._times == 0:
                return None
            if self._times is not None:
                self._times -= 1
            return self._misbehaviour

    def _break(self, request: BaseHTTPRequestHandler, kind: str, reply: Reply) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(reply.body)}\r\n\r\n".encode()
        if kind == "hang":
            self.released.wait()
        elif kind == "truncated":
            request.wfile.write(head + reply.body[: len(reply.body) // 2])
        elif kind == "slow_drip":
            for byte in head + reply.body:
                request.wfile.write(bytes([byte]))
                time.sleep(0.01)

    def _json_reply(self, body: bytes, kind: str | None) -> Reply:
        try:
            request = json.loads(body)
        except ValueError:
            return _single({"result": None, "error": {"code": -32700, "message": "Parse error"}, "id": None})
        if isinstance(request, list):
            items = [self._execute(item, kind) for item in request]
            if kind == "shuffled":
                items.reverse()
            return Reply(200, "application/json", ("[" + ",".join(map(_item, items)) + "]\n").encode())
        return _single(self._execute(request, kind))

    def _execute(self, request: Any, kind: str | None) -> dict[str, Any]:
        number = request.get("id") if isinstance(request, dict) else None
        try:
            return {"result": self._result(request, kind), "error": None, "id": number}
        except RpcError as error:
            return {"result": None, "error": {"code": error.code, "message": error.message}, "id": number}

    def _result(self, request: Any, kind: str | None) -> Any:
        if not isinstance(request, dict):
            raise RpcError(-32600, "Invalid Request object")
        method, params = request.get("method"), request.get("params")
        if method is None:
            raise RpcError(-32600, "Missing method")
        if not isinstance(params, list | None):
            raise RpcError(-32600, "Params must be an array")
        if kind == "warming_up":
            raise RpcError(-28, "Loading block index...")
        if kind == "refusing":
            raise RpcError(-20, "Database error")
        with self.lock:
            self.calls[method] += 1
            for command in self._before.pop(method, []):
                command()
            return self._spoilt(method, self.chain.answer(method, params or []), kind)

    def _spoilt(self, method: str, result: Any, kind: str | None) -> Any:
        if method == "getblock" and kind == "wrong_block":
            return recorded.blocks()[0]["hex"]
        if method == "getblock" and kind == "garbage_hex":
            return "zz" + result[2:]
        if method == "getblock" and kind == "pruned":
            raise RpcError(-32603, "Block not available (pruned data)")
        if method == "getblock" and kind == "forgets_blocks":
            raise RpcError(-5, "Block not found")
        if method == "getblockchaininfo" and kind == "odd_status":
            return {"blocks": self.chain.height}
        if method == "getblockhash" and kind == "garbage_hash":
            return result[:-2]
        return result


def _item(reply: dict[str, Any]) -> str:
    return ",".join(f'"{key}":{dumps(value)}' for key, value in reply.items()).join("{}")


def _single(reply: dict[str, Any]) -> Reply:
    status = _STATUS_OF_CODE.get(reply["error"]["code"], 500) if reply["error"] else 200
    return Reply(status, "application/json", (_item(reply) + "\n").encode())


class Control:
    """The commands of a replay daemon in a process of its own, as JSON-RPC methods."""

    def __init__(self, daemon: ReplayDaemon) -> None:
        self._daemon = daemon
        chain = daemon.chain
        self._commands: dict[str, Callable[..., Any]] = {
            "set_tip": chain.set_tip,
            "extend": chain.extend,
            "reorg": lambda name, won=True: chain.reorg(name, won=won),
            "step": chain.step,
            "tip": lambda: chain.active[-1],
            "headers": lambda height: setattr(chain, "headers", height),
            "refuse": lambda code, message: setattr(chain, "refusal", (code, message)),
            "accept": lambda: setattr(chain, "refusal", None),
            "misbehave": daemon.misbehave,
            "behave": daemon.behave,
            "down": daemon.down,
            "up": daemon.up,
            "calls": lambda: dict(daemon.calls),
        }

    def reply(self, request: BaseHTTPRequestHandler, body: bytes) -> Reply:
        """Run the command of a request body and answer with its result."""
        call = json.loads(body)
        with self._daemon.lock:
            result = self._commands[call["method"].removeprefix("replay_")](*call.get("params", []))
        return _single({"result": result, "error": None, "id": call.get("id")})


def main() -> None:
    """Serve until killed."""
    options = argparse.ArgumentParser(description="serve the recorded chain as a Flux daemon would")
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--control-port", type=int, default=0)
    options.add_argument("--height", type=int, default=recorded.TIP)
    options.add_argument("--user", default="replay")
    options.add_argument("--password", default="s3cret")
    chosen = options.parse_args()
    daemon = ReplayDaemon(chosen.height, port=chosen.port, user=chosen.user, password=chosen.password)
    control = HttpServer("127.0.0.1", chosen.control_port, Control(daemon).reply)
    urls = {"url": daemon.url, "control": control.url}
    print(json.dumps(urls), flush=True)
    Event().wait()


if __name__ == "__main__":
    main()
