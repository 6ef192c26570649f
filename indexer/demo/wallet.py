"""Who owns coins on the demo network: keys, scripts and addresses, all derived from the seed.

A key is a number that looks like one; nobody could sign with it, and nobody checks signatures here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256

from indexer.chain.address import script_for
from indexer.chain.hashes import hash160
from indexer.chain.keys import P2PKH, P2SH

PEOPLE, SHARED_WALLETS, OPERATORS, COSIGNED_OPERATORS, POOLS = 120, 12, 90, 10, 6
COSIGNERS, NEEDED = 3, 2
UNCOMPRESSED = 64  # bytes behind the 04 of an uncompressed key

FUNDS = ("exchange", "foundation", "swap pool", "dev fund")
"""Owners of the one-off outputs and of the dev fund: the same on every demo chain, as the parameters name them."""


class Role(Enum):
    """What an owner does with coins."""

    PERSON = "person"
    OPERATOR = "operator"
    POOL = "pool"
    TREASURY = "treasury"
    FUND = "fund"
    FUSION = "fusion"


@dataclass(frozen=True, slots=True)
class Owner:
    """One address and what is known of it; ``redeem_script`` is empty for P2PKH."""

    role: Role
    address: bytes
    pubkey: bytes
    redeem_script: bytes = b""
    foundation: bool = False  # its nodes start with the foundation key while that is possible

    @property
    def script(self) -> bytes:
        """The output script that pays it."""
        return script_for(self.address)


def compressed_key(*label: object) -> bytes:
    """33 bytes in the form of a compressed public key."""
    digest = sha256("/".join(map(str, label)).encode()).digest()
    return bytes([2 + (digest[0] & 1)]) + sha256(digest).digest()


def uncompressed_key(*label: object) -> bytes:
    """65 bytes in the form of an uncompressed public key."""
    body = compressed_key(*label)[1:]
    return b"\x04" + (body + sha256(body).digest())[:UNCOMPRESSED]


def multisig(keys: Sequence[bytes], needed: int) -> bytes:
    """A bare multisig script."""
    pushes = b"".join(bytes([len(key)]) + key for key in keys)
    return bytes([0x50 + needed]) + pushes + bytes([0x50 + len(keys), 0xAE])


def single(role: Role, *label: object) -> Owner:
    """An owner with a P2PKH address."""
    key = compressed_key(*label)
    return Owner(role, bytes([P2PKH]) + hash160(key), key)


def cosigned(role: Role, *label: object, foundation: bool = False) -> Owner:
    """An owner with a P2SH address of a 2-of-3 multisig."""
    keys = [compressed_key(*label, n) for n in range(COSIGNERS)]
    script = multisig(keys, NEEDED)
    return Owner(role, bytes([P2SH]) + hash160(script), keys[0], script, foundation)


def fund(name: str) -> Owner:
    """The owner of one of the FUNDS."""
    return cosigned(Role.FUND, "demo", name)


FUSION_WALLETS = {
    "LOCKED": fund("swap pool"),
    **{role: single(Role.FUSION, "demo", "fusion", role) for role in ("SWAP", "MINING", "COLD")},
}
"""The native wallets of the bridge Fusion by role, the same on every demo chain; LOCKED is paid by the rules."""


class Wallets:
    """All owners of one seed, by role and by address."""

    def __init__(self, seed: int) -> None:
        self.treasury = single(Role.TREASURY, seed, "treasury")
        self.people = [single(Role.PERSON, seed, "person", n) for n in range(PEOPLE)]
        self.people += [cosigned(Role.PERSON, seed, "shared", n) for n in range(SHARED_WALLETS)]
        self.operators = [single(Role.OPERATOR, seed, "operator", n) for n in range(OPERATORS)]
        self.cosigned_operators = [
            cosigned(Role.OPERATOR, seed, "cosigned", n, foundation=n < 4) for n in range(COSIGNED_OPERATORS)
        ]
        self.pools = [single(Role.POOL, seed, "pool", n) for n in range(POOLS)]
        self.funds = [fund(name) for name in FUNDS]
        self.by_address = {owner.address: owner for owner in self._all()}

    def _all(self) -> Iterable[Owner]:
        yield self.treasury
        for owners in (self.people, self.operators, self.cosigned_operators, self.pools, self.funds):
            yield from owners
