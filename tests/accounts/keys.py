"""Keys of visitors: what their wallets do when they sign in."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from coincurve import PrivateKey

from indexer.chain import base58
from indexer.chain.address import encode_address
from indexer.chain.messages import BITCOIN_MAGIC, MAGIC, ZELID_PREFIX, key_address, message_digest
from indexer.chain.params import Network
from tests.indexed import network


@dataclass(frozen=True)
class Wallet:
    """A key and the chain that its wallet is for."""

    number: int
    is_zelid: bool = False
    chain: Network | None = None

    @property
    def key(self) -> PrivateKey:
        """The private key."""
        return PrivateKey(self.number.to_bytes(32, "big"))

    @property
    def address(self) -> str:
        """The address of the compressed key: Bitcoin's for a ZelID."""
        key = key_address(self.key.public_key.format())
        return base58.encode(ZELID_PREFIX + key[1:]) if self.is_zelid else encode_address(key, self.chain or network())

    def sign(self, message: str, magic: bytes | None = None) -> str:
        """The signature of a message, as the wallet shows it."""
        digest = message_digest(message.encode(), magic or (BITCOIN_MAGIC if self.is_zelid else MAGIC))
        raw = self.key.sign_recoverable(digest, hasher=None)
        return base64.b64encode(bytes([31 + raw[64]]) + raw[:64]).decode()
