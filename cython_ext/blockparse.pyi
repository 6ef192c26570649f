from collections.abc import Callable
from typing import Any, TypeVar

Hash160 = Callable[[bytes], bytes]

T = TypeVar("T")

class Malformed(Exception):
    """Bytes that cannot be parsed; args are (template, item, offset, three numbers for the template)."""

def parse_block(raw: bytes, pon: bool, full_ids: bool, hash160: Hash160) -> tuple[list[Any], bytes]:
    """The fields of ParsedBlock in order, and the merkle root of the txids (empty when they repeat)."""

def parse_transaction(raw: bytes, hash160: Hash160) -> list[Any]:
    """The fields of ParsedBlock for one transaction and no header."""

def fill(instance: T, names: tuple[str, ...], values: list[Any]) -> T:
    """The instance with its attributes set, past the __setattr__ of a frozen class; for one just made."""

def choose_kernel(with_instructions: bool) -> str:
    """Use the processor's SHA instructions, if it has them, or portable C; gives the name of what is used."""

def digest(message: bytes) -> bytes:
    """The kernel's SHA-256 twice, for its tests."""

def digest_pair(a: bytes, b: bytes) -> tuple[bytes, bytes]:
    """The kernel's SHA-256 twice of two messages side by side, for its tests."""
