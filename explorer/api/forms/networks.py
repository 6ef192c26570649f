"""Which network an IP belongs to, in the daemon's words (``netbase.cpp:CNetAddr::GetNetwork, GetNetworkName``)."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

UNROUTABLE: Final = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
            "255.255.255.255/32", "::/128", "::1/128", "2001:10::/28", "2001:db8::/32", "fc00::/7", "fe80::/64",
        ),
    )
)  # fmt: skip


@lru_cache(maxsize=1 << 15)
def kind_of(signed: bytes) -> str:
    """``ipv4``, ``ipv6``, ``onion``, or empty for what cannot be routed to or is no address; a port is left out."""
    host = host_of(signed.decode("latin-1"))
    if host.endswith(".onion"):
        return "onion"
    try:
        address = ip_address(host)
    except ValueError:
        return ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if any(address in network for network in UNROUTABLE if network.version == address.version):
        return ""
    return "ipv4" if isinstance(address, IPv4Address) else "ipv6"


def host_of(signed: str) -> str:
    """What a node signed as its address, without the port."""
    if signed.startswith("["):
        return signed[1:].partition("]")[0]
    return signed.partition(":")[0] if signed.count(":") == 1 else signed
