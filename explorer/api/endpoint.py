"""Declarations of API routes: what is asked, what is answered, and the function that does it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from explorer.api.body import Body
from explorer.api.respond import Immutable, respond
from explorer.db import Answer
from explorer.errors import BadRequest

Handler = Callable[[Request], Awaitable[Answer[Any] | Immutable | Response]]

_PATH_PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the query string: its name, JSON Schema and meaning."""

    name: str
    schema: Mapping[str, Any]
    meaning: str
    required: bool = False

    @property
    def may_be_empty(self) -> bool:
        """Whether nothing is one of its values: of a text, but not of a number or a choice."""
        return self.schema["type"] == "string" and "" in self.schema.get("enum", [""])


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A route with what the OpenAPI document says about it; ``also_written`` are media types besides the usual one.

    ``signed_in``: it wants the token of a session.
    """

    method: str
    path: str
    handler: Handler
    answer: Any
    query: tuple[Parameter, ...] = ()
    body: Body | None = None
    errors: tuple[int, ...] = (400, 404, 409, 503)
    revalidate: bool = True
    also_written: tuple[str, ...] = ()
    signed_in: bool = False

    @property
    def summary(self) -> str:
        """The first sentence of the handler's docstring."""
        return (self.handler.__doc__ or "").partition("\n")[0].replace("``", "`")

    @property
    def path_parameters(self) -> list[str]:
        """The names in braces in the path."""
        return _PATH_PARAMETER.findall(self.path)

    def route(self, path: str | None = None, kind: type[Route] = Route) -> Route:
        """The route, or a twin of it under another path."""
        return kind(path or self.path, self._function(), methods=[self.method])

    def _function(self) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            self._refuse_empty(request)
            found = await self.handler(request)
            return found if isinstance(found, Response) else respond(request, found, revalidate=self.revalidate)

        answer.__name__ = self.handler.__name__
        return answer

    def _refuse_empty(self, request: Request) -> None:
        for parameter in self.query:
            if request.query_params.get(parameter.name) == "" and not parameter.may_be_empty:
                raise BadRequest(f"{parameter.name} is empty: give it a value, or leave it away")


class Api:
    """A collection of endpoints; its methods are decorators for handlers."""

    def __init__(self) -> None:
        self.endpoints: list[Endpoint] = []

    def get(self, path: str, answer: Any, *query: Parameter, **more: Any) -> Callable[[Handler], Handler]:
        """Declare the decorated handler as the answer to GET."""
        return self._declare("GET", path, answer, query, more)

    def post(self, path: str, answer: Any, body: Body, **more: Any) -> Callable[[Handler], Handler]:
        """Declare the decorated handler as the answer to POST with a JSON body."""
        return self._declare("POST", path, answer, (), {**more, "body": body, "revalidate": False})

    def include(self, other: Api) -> None:
        """Declare the endpoints of another collection as well."""
        self.endpoints += other.endpoints

    def endpoint(self, handler: Handler) -> Endpoint:
        """The declaration of a handler."""
        return next(endpoint for endpoint in self.endpoints if endpoint.handler is handler)

    def _declare(
        self, method: str, path: str, answer: Any, query: tuple[Parameter, ...], more: Mapping[str, Any]
    ) -> Callable[[Handler], Handler]:
        def declare(handler: Handler) -> Handler:
            self.endpoints.append(Endpoint(method, path, handler, answer, query, **more))
            return handler

        return declare
