"""FluxOS gateways over real HTTP on loopback, recorded daemons behind them: they disagree and misbehave on command.

Any of ``nodes`` may answer, as behind a load balancer.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from threading import RLock
from typing import Any

from indexer.demo.http import HttpServer, Reply
from tests import recorded
from tests.replay_chain import ReplayChain, RpcError
from tests.replay_daemon import dumps

MISBEHAVIOURS = (
    *("html", "busy", "busy_until", "busy_always", "server_error", "drop", "truncated", "slow_drip", "empty"),
    *(
        "other_block",
        "truncated_hex",
        "odd_hex",
        "damaged_block",
        "no_envelope",
        "warming_up",
        "odd_status",
        "odd_hash",
    ),
    *("forgets_blocks", "endless"),
)
_INTEGERS = {"getblockhash": (0,), "getblock": (1,), "getrawtransaction": (1,)}


class ReplayGateway:
    """A gateway on a free port of 127.0.0.1; ``calls`` counts what it was asked."""

    def __init__(self, *nodes: ReplayChain) -> None:
        self.nodes = list(nodes)
        self.calls: Counter[str] = Counter()
        self.lock = RLock()
        self._misbehaviour: tuple[str, int] = ("", 0)
        self._chance = random.Random(1)
        self._server = HttpServer("127.0.0.1", 0, self.reply)

    def __enter__(self) -> ReplayGateway:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    @property
    def url(self) -> str:
        """Its base address."""
        return self._server.url.rstrip("/")

    def misbehave(self, kind: str, times: int = 1 << 30) -> None:
        """Misbehave (one of MISBEHAVIOURS) for so many requests."""
        assert kind in MISBEHAVIOURS
        self._misbehaviour = (kind, times)

    def behave(self) -> None:
        """Be a good gateway again."""
        self._misbehaviour = ("", 0)

    def _take_misbehaviour(self) -> str:
        with self.lock:
            kind, times = self._misbehaviour
            self._misbehaviour = (kind, times - 1) if times > 1 else ("", 0)
            return kind

    def reply(self, request: BaseHTTPRequestHandler, _body: bytes) -> Reply | None:
        """The reply to a request; None breaks the connection."""
        kind = self._take_misbehaviour()
        _, interface, method, *params = request.path.split("/")
        with self.lock:
            self.calls[method] += 1
            body = dumps(self._envelope(interface, method, params, kind)).encode()
        if kind in ("busy", "busy_until", "busy_always"):
            self._busy(request, kind)
            return None
        if kind in ("drop", "truncated", "slow_drip", "endless"):
            self._break(request, kind, body)
            return None
        if kind == "html":
            body = b"<html><body>502 Bad Gateway</body></html>"
        if kind == "empty":
            body = b""
        return Reply(500 if kind == "server_error" else 200, "application/json", body)

    def _busy(self, request: BaseHTTPRequestHandler, kind: str) -> None:
        after = {"busy": "0", "busy_until": formatdate(time.time() + 1, usegmt=True), "busy_always": "soon"}[kind]
        head = f"HTTP/1.1 429 Too Many Requests\r\nRetry-After: {after}\r\nContent-Length: 0\r\n\r\n"
        request.wfile.write(head.encode())

    def _break(self, request: BaseHTTPRequestHandler, kind: str, body: bytes) -> None:
        length = 100_000_000 if kind == "endless" else len(body)
        request.wfile.write(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode())
        if kind == "truncated":
            request.wfile.write(body[: len(body) // 2])
        elif kind == "endless":
            request.wfile.write(b" " * 10_000_000)
        elif kind == "slow_drip":
            for byte in body:
                request.wfile.write(bytes([byte]))
                time.sleep(0.01)

    def _envelope(self, interface: str, method: str, params: list[str], kind: str) -> Any:
        node = self._chance.choice(self.nodes)
        try:
            if interface != "daemon":
                raise RpcError(-1, "Not Found")
            if kind == "warming_up":
                raise RpcError(-28, "Loading block index...")
            if kind == "forgets_blocks" and method == "getblock":
                raise RpcError(-5, "Block not found")
            integers = _INTEGERS.get(method, ())
            answer = node.answer(method, [int(p) if n in integers else p for n, p in enumerate(params)])
        except RpcError as error:
            return {"status": "error", "data": {"code": error.code, "name": "RpcError", "message": error.message}}
        spoilt = self._spoilt(method, answer, kind)
        return spoilt if kind == "no_envelope" else {"status": "success", "data": spoilt}

    @staticmethod
    def _spoilt(method: str, answer: Any, kind: str) -> Any:
        if method == "getblock":
            if kind == "other_block":
                return recorded.blocks()[0]["hex"]
            if kind == "truncated_hex":
                return answer[: len(answer) // 4 * 2]
            if kind == "odd_hex":
                return answer[:-1]
            if kind == "damaged_block":
                return answer[:-20] + "00" * 10
        if method == "getblockchaininfo":
            return {"blocks": answer["blocks"]} if kind == "odd_status" else answer
        return answer[:-2] if kind == "odd_hash" and isinstance(answer, str) else answer
