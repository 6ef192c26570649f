"""The guard that keeps all tests on this machine does what it says."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest

ELSEWHERE = ("192.0.2.1", "2001:db8::1")  # documentation (RFC 5737, RFC 3849): nobody is there


@pytest.mark.parametrize("host", ELSEWHERE)
@pytest.mark.parametrize("verb", ["connect", "connect_ex"])
def test_a_connection_to_elsewhere_is_refused(loopback_only: list[str], host: str, verb: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as one, pytest.raises(ConnectionRefusedError, match="stay on this machine"):
        getattr(one, verb)((host, 9))
    assert loopback_only.pop() == host


def test_a_look_up_of_a_name_is_refused(loopback_only: list[str]) -> None:
    with pytest.raises(socket.gaierror, match="stay on this machine"):
        socket.create_connection(("api.example.com", 443))
    assert loopback_only.pop() == "api.example.com"


@pytest.mark.parametrize("host", ["192.0.2.1", "api.example.com"])
def test_asyncio_and_httpx_are_held_too(loopback_only: list[str], host: str) -> None:
    async def ask() -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.get(f"http://{host}/")

    with pytest.raises(httpx.ConnectError):
        asyncio.run(ask())
    assert {loopback_only.pop() for _ in range(len(loopback_only))} == {host}


def test_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
