"""Address text and address keys, and the script that a key stands for.

An address key has 21 bytes: the kind and the HASH160 (``indexer.chain.keys``). Source: ``key_io.cpp``,
``script/standard.cpp:GetScriptForDestination``.
"""

from __future__ import annotations

from indexer.chain import base58, bech32
from indexer.chain.keys import P2PKH, P2SH
from indexer.chain.networks import NETWORKS
from indexer.chain.params import Network
from indexer.errors import AddressError

KEY_SIZE = 21
ADDRESS_TYPES = {P2PKH: "p2pkh", P2SH: "p2sh"}

SPROUT_PAYLOAD = 64
SAPLING_PAYLOAD = 43
FOREIGN_SAPLING_PREFIXES = {"zs": "Zcash", "ztestsapling": "Zcash's test net"}
PRIVATE_KEY_VERSIONS = (0x80, 0xEF)
PRIVATE_KEY_SIZES = (33, 34)  # an uncompressed key, a compressed one


def address_type(key: bytes) -> str:
    """``p2pkh`` or ``p2sh``; AddressError when the key stands for no address."""
    try:
        return ADDRESS_TYPES[key[0]]
    except (KeyError, IndexError):
        raise AddressError("the key of an output without an address stands for no address") from None


def _prefix(kind: int, network: Network) -> bytes:
    return network.pubkey_address_prefix if kind == P2PKH else network.script_address_prefix


def encode_address(key: bytes, network: Network) -> str:
    """The text of a 21-byte address key on this network (``key_io.cpp:EncodeDestination``)."""
    address_type(key)
    return base58.encode(_prefix(key[0], network) + key[1:])


def decode_address(text: str, network: Network) -> bytes:
    """The 21-byte key of a transparent address of this network; AddressError says why the text is none.

    Shielded addresses are recognised, their checksum is verified, and they are refused with the reason that
    what they hold is private. Source: ``key_io.cpp:DecodeDestination``.
    """
    if len(text) > base58.LONGEST_TEXT:
        raise AddressError("no address has %(number)s characters", number=len(text))
    if _looks_like_sapling(text, network):
        raise _about_sapling(text, network)
    payload = base58.decode(text)
    key = _match(payload, network)
    if key is None:
        raise _about_foreign(payload, network)
    return key


def script_for(key: bytes) -> bytes:
    """The output script that pays an address key: 25 bytes for P2PKH, 23 for P2SH."""
    if address_type(key) == "p2pkh":
        return b"\x76\xa9\x14" + key[1:] + b"\x88\xac"
    return b"\xa9\x14" + key[1:] + b"\x87"


def keys_beginning_with(text: str, network: Network) -> tuple[bytes, bytes] | None:
    """The least and the greatest address key whose text may begin with ``text``; None when no address does.

    All addresses of a network have texts of one length, so that a beginning of the text is a range of numbers.
    """
    size = KEY_SIZE - 1
    for kind in ADDRESS_TYPES:
        prefix = _prefix(kind, network)
        low, high = (prefix + fill * (size + base58.CHECKSUM_SIZE) for fill in (b"\0", b"\xff"))
        begun = base58.numbers_beginning_with(text, len(base58.plain(high)))
        least, greatest = max(int.from_bytes(low, "big"), begun.start), min(int.from_bytes(high, "big"), begun.stop - 1)
        if least <= greatest:
            first, last = (n.to_bytes(len(low), "big")[len(prefix) :][:size] for n in (least, greatest))
            return bytes([kind]) + first, bytes([kind]) + last
    return None


def _match(payload: bytes, network: Network) -> bytes | None:
    for kind in ADDRESS_TYPES:
        prefix = _prefix(kind, network)
        if payload.startswith(prefix) and len(payload) == len(prefix) + KEY_SIZE - 1:
            return bytes([kind]) + payload[len(prefix) :]
    return None


def _names(networks: list[Network]) -> str:
    return " or ".join(sorted({network.name for network in networks}))


def _about_foreign(payload: bytes, network: Network) -> AddressError:
    if payload[0] in PRIVATE_KEY_VERSIONS and len(payload) in PRIVATE_KEY_SIZES:
        return AddressError("this is a private key, not an address: whoever has seen it can spend its coins")
    known = [network, *NETWORKS.values()]
    sprout = [n for n in known if payload[:2] == n.sprout_address_prefix and len(payload) == 2 + SPROUT_PAYLOAD]
    if sprout:
        return _about_shielded("Sprout", sprout, network)
    owners = [n for n in known if _match(payload, n)]
    if owners:
        return AddressError(
            "this is an address of %(owner)s, not of %(network)s", owner=_names(owners), network=network.name
        )
    first, second = (encode_address(bytes([kind]) + bytes(20), network)[:2] for kind in ADDRESS_TYPES)
    return AddressError(
        "no Flux address begins with the version bytes %(version)s; those of %(network)s look like %(first)s and "
        "%(second)s",
        version=payload[:2].hex(), network=network.name, first=f"{first}…", second=f"{second}…",
    )  # fmt: skip


def _about_shielded(pool: str, owners: list[Network], network: Network) -> AddressError:
    if network in owners:
        return AddressError(
            "this is a shielded (%(pool)s) address: what it holds and does is private, and no explorer can show it",
            pool=pool,
        )
    return AddressError(
        "this is a shielded (%(pool)s) address of %(owner)s, not of %(network)s: what it holds and does is private, "
        "and no explorer can show it",
        pool=pool, owner=_names(owners), network=network.name,
    )  # fmt: skip


def _sapling_owners(prefix: str, network: Network) -> list[Network]:
    return [n for n in (network, *NETWORKS.values()) if n.sapling_hrp == prefix]


def _looks_like_sapling(text: str, network: Network) -> bool:
    """Whether the part before the last separator is a Sapling prefix; no Base58 address has such a start."""
    prefix = text.lower().rpartition("1")[0]
    return prefix in FOREIGN_SAPLING_PREFIXES or bool(_sapling_owners(prefix, network))


def _about_sapling(text: str, network: Network) -> AddressError:
    prefix, payload = bech32.decode(text)
    if len(payload) != SAPLING_PAYLOAD:
        return AddressError(
            "a Sapling address has a payload of %(size)s bytes, this one of %(number)s",
            size=SAPLING_PAYLOAD, number=len(payload),
        )  # fmt: skip
    if prefix in FOREIGN_SAPLING_PREFIXES:
        return AddressError(
            "this is a shielded address of %(owner)s, not of Flux", owner=FOREIGN_SAPLING_PREFIXES[prefix]
        )
    return _about_shielded("Sapling", _sapling_owners(prefix, network), network)
