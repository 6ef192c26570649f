"""Who asks: the address that a request came from, and the one whose limits it counts for.

A proxy is believed only when its own address is a trusted one, and then only the part of ``X-Forwarded-For`` that
trusted proxies wrote: it is read from the right, up to the first address that is not a proxy's. ``Forwarded``
(RFC 7239) is not read: a proxy that does not write it passes on what strangers wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.types import Scope

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

HOST_BITS: Final = 64  # of an IPv6 address: who has one of these has all
MOST_REMEMBERED: Final = 1 << 14
MOST_HOPS: Final = 32
SCOPE_KEY: Final = "explorer.client"
SECURE: Final = {b"http": {"http": "http", "websocket": "ws"}, b"https": {"http": "https", "websocket": "wss"}}


@dataclass(frozen=True, slots=True)
class Client:
    """``name``: whose limits count, an IPv4 address or the /64 network of an IPv6 address."""

    name: str
    address: str
    is_free: bool = False
    is_proxy: bool = False


NOBODY: Final = Client("", "")


class Clients:
    """Tells clients by their addresses; ``proxies`` are believed, ``free`` clients have no limits of their own."""

    def __init__(self, proxies: Sequence[Network], free: Sequence[Network]) -> None:
        self._proxies, self._free = tuple(proxies), tuple(free)
        self.named = lru_cache(MOST_REMEMBERED)(self._named)
        self._behind = lru_cache(MOST_REMEMBERED)(self._behind_proxies)

    def of(self, scope: Scope) -> Client:
        """The client of a request; what a trusted proxy tells of it is noted in the scope: ``client``, ``scheme``."""
        peer = scope.get("client")
        found = self.named(peer[0]) if peer else NOBODY
        if found.is_proxy:
            hops: list[bytes] = []
            for name, value in scope["headers"]:
                if name == b"x-forwarded-for":
                    hops.append(value)
                elif name == b"x-forwarded-proto":
                    scope["scheme"] = SECURE.get(value, {}).get(scope["type"], scope["scheme"])
            if hops:
                found = self._behind(found.address, b",".join(hops))
                scope["client"] = (found.address, 0)
        scope[SCOPE_KEY] = found
        return found

    def _behind_proxies(self, peer: str, hops: bytes) -> Client:
        """The nearest address that is not a trusted proxy's, in a list that each proxy adds to on the right."""
        found = self.named(peer)
        for hop in reversed(hops.decode("latin-1").split(",")[-MOST_HOPS:]):
            address = parse_address(hop)
            if address is None:
                return found  # nobody knows what was before
            found = self.named(str(address))
            if not found.is_proxy:
                return found
        return found

    def _named(self, text: str) -> Client:
        address = parse_address(text)
        if address is None:
            return Client(text[:64], text[:64])
        name = str(address) if address.version == 4 else str(ip_network((address, HOST_BITS), strict=False))
        return Client(name, str(address), _within(address, self._free), _within(address, self._proxies))


def client_of(scope: Scope) -> Client:
    """The client of a request that has come through the door, NOBODY of another."""
    found: Client = scope.get(SCOPE_KEY, NOBODY)
    return found


def parse_address(text: str) -> Address | None:
    """An address as peers and proxies write it, perhaps in brackets, with a port or a zone; None when it is none.

    An IPv4 address in IPv6 clothes (RFC 4291, 2.5.5.2) is the IPv4 address.
    """
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
