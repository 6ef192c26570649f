"""Whose key signed a message. The only module that imports coincurve (libsecp256k1)."""

from __future__ import annotations

from coincurve import PublicKey

from indexer.chain.messages import MAGIC, CompactSignature, key_address, message_digest


def signer(signature: CompactSignature, message: bytes, magic: bytes = MAGIC) -> bytes | None:
    """The address key of whoever made the signature of a message; None when no key could have made it.

    ``magic`` is what wallets of the address's chain begin the signed bytes with.
    """
    compact = signature.rs + bytes([signature.candidate])
    try:
        key = PublicKey.from_signature_and_message(compact, message_digest(message, magic), hasher=None)
    except ValueError:
        return None
    return key_address(key.format(compressed=signature.compressed))
