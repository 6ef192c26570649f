"""Everything this project raises on purpose.

::

    FluxError
    ├── ConfigError            a setting or parameter file that cannot be used
    ├── AddressError           text that is no address of this network
    ├── ParseError             bytes that are no block or transaction (offset, structure)
    ├── ChainError             well-formed data that contradicts the chain's rules
    │   ├── MerkleMismatch     transactions that do not hash to the header's root
    │   ├── NotConnected       a block whose parent is not our tip
    │   └── TooDeep            a rewind below what undo records reach
    ├── SourceError            the daemon (or another source of blocks)
    │   ├── Unreachable        no answer: try again later
    │   ├── WarmingUp          an answer, not yet a useful one: try again soon
    │   ├── Garbled            an answer that cannot be read: try again
    │   ├── WrongCredentials   the daemon refused user or password
    │   ├── Refused            the daemon answered with an error (code, message)
    │   └── Stopped            we were asked to stop while waiting
    └── StoreError             the database
        ├── Unavailable        no answer, no space, lost connection
        ├── DuplicateKey       an immutable row existed already: foreign garbage
        ├── TipMoved           somebody else moved the tip: we are not the writer
        ├── Locked             another indexer owns this database
        └── WrongDatabase      another network's, schema's or parameter set's database

Every message says what, where (height, txid, offset, URL without credentials) and what to do now.
"""

from __future__ import annotations


class FluxError(Exception):
    """Base of every error this project raises on purpose."""


class ConfigError(FluxError):
    """A setting or parameter file that cannot be used; names the key and the remedy."""


class AddressError(FluxError):
    """Text that is no address of this network, or no signature; says what was wrong and what was expected.

    ``message`` is the sentence with places for ``values``, the same for all texts with which the same is wrong: from
    both another language can make its own sentence.
    """

    def __init__(self, message: str, /, **values: object) -> None:
        super().__init__(message % values if values else message)
        self.message = message
        self.values = values


class ParseError(FluxError):
    """Bytes that are no well-formed block or transaction.

    ``offset`` is the position of the first byte of the item that could not be read, counted from the start
    of the bytes given to the parser; ``structure`` names that item in the specification's words.
    """

    def __init__(self, message: str, *, offset: int, structure: str) -> None:
        super().__init__(f"{message} (in {structure} at offset {offset})")
        self.message = message
        self.offset = offset
        self.structure = structure


class ChainError(FluxError):
    """Well-formed data that contradicts the chain's rules or our record of the chain."""


class MerkleMismatch(ChainError):
    """The transactions of a block do not hash to the merkle root of its header."""


class NotConnected(ChainError):
    """A block whose parent is not the block we hold below it."""


class TooDeep(ChainError):
    """A rewind to a height below the oldest undo record."""


class SourceError(FluxError):
    """The source of blocks failed."""


class Unreachable(SourceError):
    """No answer from the source."""


class WarmingUp(SourceError):
    """The daemon is alive and asks to be asked again (warming up, work queue full)."""


class Garbled(SourceError):
    """An answer that cannot be read: cut short, no JSON, no hex, not what was asked; try again."""


class Stopped(SourceError):
    """We were asked to stop while waiting for the source; no failure."""


class WrongCredentials(SourceError):
    """The daemon refused our user, password or cookie."""


class Refused(SourceError):
    """The daemon answered a call with an error.

    ``code`` is the JSON-RPC error code (``rpc/protocol.h``), ``reason`` the daemon's own words.
    """

    def __init__(self, method: str, code: int, reason: str) -> None:
        super().__init__(f"the daemon refused {method}: {reason} (code {code})")
        self.method = method
        self.code = code
        self.reason = reason


class StoreError(FluxError):
    """The database failed."""


class Unavailable(StoreError):
    """The database does not answer, lost the connection, or has no space left."""


class DuplicateKey(StoreError):
    """An immutable row existed already: garbage that a rewind has to remove first."""


class TipMoved(StoreError):
    """The tip is not where this writer left it: another writer is at work."""


class Locked(StoreError):
    """Another indexer owns this database."""


class WrongDatabase(StoreError):
    """The database belongs to another network, schema version or parameter set."""
