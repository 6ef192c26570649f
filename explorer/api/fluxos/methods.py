"""Declarations of the methods: names, parameters by path or query, the envelope, errors with HTTP 200."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from explorer.api.forms.exact import Body, encode
from explorer.api.forms.reply import Passing, refusal, reply
from explorer.db import Answer
from explorer.errors import AboveTip, BadRequest, ExplorerError, NotFound, Syncing
from explorer.services import Services, services

RPC_ERROR: Final = "RPCError"
CODES: Final[tuple[tuple[type[ExplorerError], int], ...]] = (
    (NotFound, -5), (BadRequest, -8), (AboveTip, -8), (Syncing, -10),
)  # fmt: skip
MISC_ERROR, INVALID_ADDRESS, DECODE_FAILED = -1, -5, -22
SUCCESS: Final = (b'{"status":"success","data":', b"}")
TRUE, FALSE = ("true", "1"), ("false", "0")


class RpcError(BadRequest):
    """A question refused with a code of the daemon's own."""

    def __init__(self, rpc_code: int, message: str) -> None:
        super().__init__(message)
        self.rpc_code = rpc_code


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: its parameters by name, wherever in path or query they stood."""

    services: Services
    given: Mapping[str, str]

    def text(self, name: str) -> str:
        """A parameter that must be there."""
        if not self.given.get(name):
            raise BadRequest(f"{name} is missing")
        return self.given[name]

    def number(self, name: str, default: int | None = None) -> int:
        """A whole number, at least 0."""
        text = self.given.get(name) or ("" if default is None else str(default))
        if not text.isascii() or not text.isdecimal() or len(text) > 15:
            raise BadRequest(f"{name} is {text[:20]!r}: expected a whole number" if text else f"{name} is missing")
        return int(text)

    def flag(self, name: str, default: bool) -> bool:
        """A yes or no: true, 1, false or 0."""
        text = self.given.get(name, "").lower()
        if text and text not in TRUE + FALSE:
            raise BadRequest(f"{name} is {text[:20]!r}: expected true or false")
        return text in TRUE if text else default


Answering = Callable[[Asked], Awaitable[Answer[Any]]]


@dataclass(frozen=True, slots=True)
class Method:
    """A method under all its names; of each parameter the names it is known by in a query string."""

    names: tuple[str, ...]
    parameters: tuple[tuple[str, ...], ...]
    answer: Answering
    verbs: tuple[str, ...]

    def routes(self) -> list[Route]:
        """The method without path parameters, with one, with two …"""
        suffixes = ["".join(f"/{{{p[0]}}}" for p in self.parameters[:n]) for n in range(len(self.parameters) + 1)]
        return [
            Route(f"/{name}{suffix}", self._endpoint(), methods=list(self.verbs))
            for name in self.names
            for suffix in suffixes
        ]

    def _endpoint(self) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                found = await self.answer(Asked(services(request), self._given(request)))
            except ExplorerError as error:
                return refusal(encode(error_envelope(error)), 200)
            if isinstance(found.value, Passing):
                return reply(request, found, envelope(found.value.value), lasting=False)
            body = found.value if isinstance(found.value, Body) else envelope(found.value)
            return reply(request, found, body)

        endpoint.__name__ = f"fluxos_{self.answer.__name__}"
        return endpoint

    def _given(self, request: Request) -> dict[str, str]:
        given = {}
        for names in self.parameters:
            texts = [request.path_params.get(names[0])] + [request.query_params.get(name) for name in names]
            given[names[0]] = next((text for text in texts if text), "")
        return given


class Methods:
    """A collection of methods; calling it gives the decorator of a handler."""

    def __init__(self) -> None:
        self.declared: list[Method] = []

    def __call__(
        self, *names: str, parameters: tuple[tuple[str, ...], ...] = (), verbs: tuple[str, ...] = ("GET",)
    ) -> Callable[[Answering], Answering]:
        """Declare the decorated handler under these names; each parameter with the names of its query form."""

        def declare(answer: Answering) -> Answering:
            self.declared.append(Method(names, parameters, answer, verbs))
            return answer

        return declare


def envelope(value: Any) -> bytes:
    """The answer of a method that went well."""
    return SUCCESS[0] + encode(value) + SUCCESS[1]


def error_envelope(error: ExplorerError) -> dict[str, Any]:
    """An error with the daemon's code for its kind."""
    if isinstance(error, RpcError):
        code = error.rpc_code
    else:
        code = next((code for kind, code in CODES if isinstance(error, kind)), MISC_ERROR)
    return {"status": "error", "data": {"code": code, "name": RPC_ERROR, "message": str(error)}}
