"""One delivery: a signed POST to a server of the operator's choice, bounded in time, and nowhere else.

Every address that the name stands for is looked at before anything is sent, and the connection goes to one that was:
a name that changes its mind between the two leads nowhere.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import socket
import ssl
from collections.abc import Callable, Sequence
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import httpx

from explorer.webhooks.hooks import Webhook
from indexer import __version__

LONGEST_WAIT: Final = 3600.0  # seconds that a server may ask us to stay away
TUNNELS: Final = tuple(map(IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))
"""Addresses that carry an IPv4 address somewhere in them (RFC 6052, 8215, 3056, 4380)."""

Address = IPv4Address | IPv6Address


class Undelivered(Exception):
    """An attempt failed; the text says why. ``seconds``: how long the server asks to be left alone, if it does."""

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


def signature(secret: str, time: int, body: bytes) -> str:
    """HMAC-SHA256 over ``<time>.<body>`` in hex: proves sender and content, and when it was sent."""
    return hmac.new(secret.encode(), b"%d.%s" % (time, body), hashlib.sha256).hexdigest()


def is_public(address: Address) -> bool:
    """Whether an address belongs to the Internet: not this machine, no private, special or tunnelled network."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if any(address in tunnel for tunnel in TUNNELS):
            return False
    return address.is_global and not address.is_multicast


@cache
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


class Post:
    """Delivers to webhooks; ``timeout`` in seconds bounds an attempt as a whole, ``clock`` gives Unix seconds."""

    def __init__(self, timeout: float, allow_private: bool, clock: Callable[[], float]) -> None:
        self._timeout = timeout
        self._allow_private = allow_private
        self._clock = clock
        self._http = httpx.AsyncClient(
            timeout=timeout,
            # Two names may share an address: a connection that was made for one of them is not for the other.
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=0),
            verify=_trusted(),
            follow_redirects=False,  # a redirect could lead into the operator's own network
            trust_env=False,
        )

    async def close(self) -> None:
        """Drop the connections."""
        await self._http.aclose()

    async def deliver(self, hook: Webhook, seq: str, body: bytes) -> None:
        """Deliver one event; the answer must be 2xx, what it says is not read. Raises Undelivered."""
        try:
            async with asyncio.timeout(self._timeout):
                await self._deliver(hook, seq, body)
        except TimeoutError:
            raise Undelivered(f"no answer within {self._timeout:g} seconds") from None
        except httpx.HTTPError as error:
            raise Undelivered(f"the connection failed ({type(error).__name__})") from None

    async def _deliver(self, hook: Webhook, seq: str, body: bytes) -> None:
        parts = urlsplit(hook.url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        target = str(self._allowed(await _addresses(host, port))[0])
        literal = f"[{target}]" if ":" in target else target
        now = int(self._clock())
        headers = {
            "Host": parts.netloc,
            "Content-Type": "application/json",
            "User-Agent": f"flux-explorer/{__version__}",
            "Idempotency-Key": seq,
            "Flux-Webhook": hook.name,
            "Flux-Signature": f"t={now},v1={signature(hook.secret, now, body)}",
        }
        url = urlunsplit((parts.scheme, f"{literal}:{port}", parts.path or "/", parts.query, ""))
        extensions = {"sni_hostname": host}
        async with self._http.stream("POST", url, content=body, headers=headers, extensions=extensions) as response:
            _judge(response)

    def _allowed(self, found: Sequence[Address]) -> Sequence[Address]:
        """The addresses, if we may go to all of them. Raises Undelivered."""
        if not found:
            raise Undelivered("its name stands for no address")
        if not self._allow_private and not all(map(is_public, found)):
            raise Undelivered("its name leads to a private network, which webhooks.allow_private forbids")
        return found


def _judge(response: httpx.Response) -> None:
    """Raises Undelivered unless the status is 2xx."""
    status = response.status_code
    if 300 <= status < 400:
        raise Undelivered(f"it answered with a redirect (HTTP {status}), which is not followed: name its target")
    if not response.is_success:
        wait = response.headers.get("retry-after", "")
        asked = float(wait[:9]) if wait.isascii() and wait.isdigit() else None
        raise Undelivered(f"it answered HTTP {status}", None if asked is None else min(asked, LONGEST_WAIT))


async def _addresses(host: str, port: int) -> list[Address]:
    """Every address that a name stands for. Raises Undelivered when it stands for none."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Undelivered("its name cannot be looked up") from None
    return [ip_address(str(info[4][0]).partition("%")[0]) for info in found]
