"""A server that takes deliveries of webhooks, and misbehaves when told to or by chance."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "a secret that only two know"
ANSWERS = {"ok": 200, "accepted": 202, "fault": 500, "busy": 429, "moved": 302, "gone": 410}


class Ledger:
    """What a receiver made of the deliveries: credits by outpoint, events of nodes; each delivery counts once."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.booked: dict[str, str] = {}
        self.lives: set[tuple[int, str, str]] = set()
        self.doubles = 0

    def take(self, told: dict[str, Any]) -> None:
        """Let a delivery have its effect, unless it had it before; a test has none."""
        if told["event"] == "test":
            return
        if told["seq"] in self.keys:
            self.doubles += 1
            return
        self.keys.add(told["seq"])
        event, what = told["event"], told[told["event"]]
        if event == "credit":
            assert what["outpoint"] not in self.booked
            self.booked[what["outpoint"]] = what["seq"]
        elif event == "reversal":
            assert self.booked.pop(what["outpoint"]) in ("before", what["reverses"])
        elif event == "reorg":
            self.lives = {life for life in self.lives if life[0] <= what["fork_height"]}
        else:
            life = what["height"], what["node"], "payout" if event == "payout" else what["event"]
            assert life not in self.lives
            self.lives.add(life)


class Receiver:
    """Use as a context manager. ``chance`` of misbehaving in one of ``ways``; a bad signature is refused."""

    def __init__(self, *, chance: float = 0.0, ways: tuple[str, ...] = ("fault",)) -> None:
        self.ledger = Ledger()
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.wrong: list[str] = []
        self.chance, self.ways = chance, ways
        self._random = random.Random(3)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}/hook?for=tests"

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if len(body) < int(self.headers["Content-Length"]):
                    return  # who sent it has died
                way = receiver.answer({k.lower(): v for k, v in self.headers.items()}, body)
                if way == "hang":
                    receiver._ended.wait(5)
                if way in ("hang", "drop", "forget"):
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.send_response(ANSWERS[way])
                if way == "moved":
                    self.send_header("Location", "/elsewhere")
                if way == "busy":
                    self.send_header("Retry-After", "0")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing on the terminal."""

        return Handler

    def answer(self, headers: dict[str, str], body: bytes) -> str:
        """Take a delivery or not; how to answer. ``forget`` takes it and tells nobody."""
        with self._lock:
            self.requests.append((headers, body))
            way = self._random.choice(self.ways) if self._random.random() < self.chance else "ok"
            try:
                check_signature(headers, body)
                if way in ("ok", "accepted", "forget"):
                    told = json.loads(body)
                    assert told["seq"] == headers["idempotency-key"]
                    self.ledger.take(told)
            except (AssertionError, KeyError) as error:
                self.wrong.append(f"{error!r} {body!r}")
            return way


def check_signature(headers: dict[str, str], body: bytes) -> None:
    """As docs/api.md tells receivers to."""
    parts = dict(part.split("=", 1) for part in headers["flux-signature"].split(","))
    expected = hmac.new(SECRET.encode(), f"{parts['t']}.".encode() + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(expected, parts["v1"])
    assert abs(time.time() - int(parts["t"])) < 60
