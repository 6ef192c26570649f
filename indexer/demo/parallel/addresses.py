"""Addresses of the parallel chains: well-formed, with the checksums of their chains, and nobody's."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Callable
from hashlib import blake2b, sha256

from indexer.chain import base58

EVM_SIZE = 20
TRON_PREFIX = b"\x41"
ERGO_P2PK = b"\x01"  # main net, pay to public key
CHECKSUM_SIZE = 4


def key_of(*label: object) -> bytes:
    """32 bytes in the place of a public key."""
    return sha256("/".join(map(str, label)).encode()).digest()


def evm(key: bytes) -> str:
    """An account of an EVM chain, in small letters: without the checksum of EIP-55."""
    return "0x" + key[:EVM_SIZE].hex()


def tron(key: bytes) -> str:
    """A Tron account: an EVM one behind 0x41, in Base58Check."""
    return base58.encode(TRON_PREFIX + key[:EVM_SIZE])


def solana(key: bytes) -> str:
    """A Solana account: a key in Base58, no checksum."""
    return base58.plain(key)


def kadena(key: bytes) -> str:
    """A Kadena account that one key guards."""
    return "k:" + key.hex()


def ergo(key: bytes) -> str:
    """An Ergo address: type, compressed key and four bytes of BLAKE2b-256, in Base58."""
    content = ERGO_P2PK + bytes([2 + (key[0] & 1)]) + key
    return base58.plain(content + blake2b(content, digest_size=32).digest()[:CHECKSUM_SIZE])


def algorand(key: bytes) -> str:
    """An Algorand address: a key and the last four bytes of its SHA-512/256, in base32."""
    checksum = hashlib.new("sha512_256", key).digest()[-CHECKSUM_SIZE:]
    return b32encode(key + checksum).decode().rstrip("=")


FORMS: dict[str, Callable[[bytes], str]] = {
    "evm": evm,
    "tron": tron,
    "solana": solana,
    "kadena": kadena,
    "ergo": ergo,
    "algorand": algorand,
}
"""How an account is written, by the kind of chain."""
