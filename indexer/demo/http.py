"""HTTP on loopback, and JSON-RPC over it in the manner of the daemon (``httprpc.cpp``, ``rpc/server.cpp``)."""

from __future__ import annotations

import base64
import hmac
import json
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import Any, NamedTuple

from indexer.demo.rules import RpcError

INVALID_REQUEST, PARSE_ERROR, MISC_ERROR = -32600, -32700, -1
STATUS_OF_CODE = {INVALID_REQUEST: 400, -32601: 404}
LARGEST_BODY = 32 << 20
STOP_SECONDS = 5.0  # for answers under way

Answer = Callable[[str, Sequence[Any]], Any]
"""Answers a method with its parameters; raises RpcError."""


class Reply(NamedTuple):
    """An HTTP reply as it goes out."""

    status: int
    content_type: str
    body: bytes


def dumps(value: Any) -> str:
    """JSON as the daemon writes it: a Decimal is a number that keeps its digits."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{dumps(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dumps, value)) + "]"
    return format(value, "f") if isinstance(value, Decimal) else json.dumps(value)


class HttpServer(ThreadingHTTPServer):
    """Listens on an address and answers by ``reply``, in a thread for each connection; None breaks the connection."""

    daemon_threads = True

    def __init__(
        self, host: str, port: int, reply: Callable[[BaseHTTPRequestHandler, bytes], Reply | None]
    ) -> None:
        """Port 0 takes a free one; OSError when the address is taken."""
        self.reply_to = reply
        self._changed = Condition()
        self._connections: set[socket.socket] = set()
        super().__init__((host, port), _Handler)
        Thread(target=self.serve_forever, args=(0.01,), name="http", daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}/"

    def stop(self) -> None:
        """Stop listening, break the connections, wait a while until they are closed; may be repeated."""
        self.shutdown()
        self.server_close()
        with self._changed:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._connections, STOP_SECONDS)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Note the connection before its thread begins."""
        with self._changed:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection once it is closed."""
        super().shutdown_request(request)
        with self._changed:
            self._connections.discard(request)
            self._changed.notify_all()


class RpcServer(HttpServer):
    """Listens on an address and answers JSON-RPC requests that carry the login."""

    def __init__(self, host: str, port: int, login: tuple[str, str], answer: Answer) -> None:
        """Port 0 takes a free one; OSError when the address is taken."""
        self._login = b"Basic " + base64.b64encode(":".join(login).encode())
        self._answer = answer
        super().__init__(host, port, self.reply)

    def reply(self, request: BaseHTTPRequestHandler, body: bytes) -> Reply:
        """The reply to a request."""
        if request.command != "POST":
            return Reply(405, "text/html", b"JSONRPC server handles only POST requests")
        if request.path != "/":
            return Reply(404, "text/html", b"")
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), self._login):
            return Reply(401, "text/html", b"")
        try:
            call = json.loads(body)
        except ValueError:
            return _single(_failure(RpcError(PARSE_ERROR, "Parse error"), None))
        if isinstance(call, list):
            items = ",".join(dumps(self._execute(item)) for item in call)
            return Reply(200, "application/json", f"[{items}]\n".encode())
        return _single(self._execute(call))

    def _execute(self, call: Any) -> dict[str, Any]:
        number = call.get("id") if isinstance(call, dict) else None
        try:
            return {"result": self._result(call), "error": None, "id": number}
        except RpcError as error:
            return _failure(error, number)
        except (TypeError, ValueError, AttributeError):
            return _failure(RpcError(MISC_ERROR, "the parameters are not as the method expects them"), number)

    def _result(self, call: Any) -> Any:
        if not isinstance(call, dict):
            raise RpcError(INVALID_REQUEST, "Invalid Request object")
        method, params = call.get("method"), call.get("params")
        if not isinstance(method, str):
            raise RpcError(INVALID_REQUEST, "Missing method" if method is None else "Method must be a string")
        if not isinstance(params, list | None):
            raise RpcError(INVALID_REQUEST, "Params must be an array")
        return self._answer(method, params or [])


def _failure(error: RpcError, number: Any) -> dict[str, Any]:
    return {"result": None, "error": {"code": error.code, "message": error.message}, "id": number}


def _single(reply: dict[str, Any]) -> Reply:
    status = STATUS_OF_CODE.get(reply["error"]["code"], 500) if reply["error"] else 200
    return Reply(status, "application/json", f"{dumps(reply)}\n".encode())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: HttpServer

    def handle(self) -> None:
        with suppress(OSError):
            super().handle()

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length", 0))
        if size > LARGEST_BODY:
            self.close_connection = True
            self.send_error(413)
            return
        reply = self.server.reply_to(self, self.rfile.read(size))
        if reply is None:
            self.close_connection = True
            return
        self.send_response(reply.status)
        if reply.status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="jsonrpc"')
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        """Say nothing."""
