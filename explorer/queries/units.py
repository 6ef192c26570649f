"""What the numbers and texts of result objects mean: annotations that carry a unit, and the words of the API."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Final, Literal, TypeAlias


class Unit(Enum):
    """What a number or a text means, beyond its type."""

    ZATOSHI = "FLUX with exactly 8 decimals"
    HEIGHT = "block height"
    SECONDS = "Unix seconds"
    BYTES = "bytes"
    HASH = "64 lower-case hex digits in display order"
    HEX = "hex"
    OUTPOINT = "<txid>:<n>"
    ADDRESS = "transparent address"


class Absence(Enum):
    """The type of ``ABSENT``: a field that this answer does not have."""

    ABSENT = "absent"


ABSENT: Final = Absence.ABSENT

Zatoshi: TypeAlias = Annotated[int, Unit.ZATOSHI]
Height: TypeAlias = Annotated[int, Unit.HEIGHT]
Seconds: TypeAlias = Annotated[int, Unit.SECONDS]
Bytes: TypeAlias = Annotated[int, Unit.BYTES]
Hash: TypeAlias = Annotated[str, Unit.HASH]
Hex: TypeAlias = Annotated[str, Unit.HEX]
Outpoint: TypeAlias = Annotated[str, Unit.OUTPOINT]
Address: TypeAlias = Annotated[str, Unit.ADDRESS]
Tier: TypeAlias = Literal["cumulus", "nimbus", "stratus"]
Kind: TypeAlias = Literal["coinbase", "transfer", "node_start", "node_confirm"]
ScriptType: TypeAlias = Literal["pubkeyhash", "scripthash", "pubkey", "multisig", "nulldata", "nonstandard"]
FundName: TypeAlias = Literal["dev_fund", "exchange", "foundation", "swap_pool", "miner", "other"]

TIERS: Final[tuple[Tier, ...]] = ("cumulus", "nimbus", "stratus")
