"""What neither the index nor the bytes of a block say, as the daemon tells it."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.daemon import Daemon
from explorer.errors import NotFound, UpstreamUnavailable
from indexer.errors import Refused


@dataclass(frozen=True, slots=True)
class Told:
    """The work up to a block, the root of its Sprout tree, the nonce of a Proof of Work block (else zeros)."""

    chainwork: str
    anchor: str | None
    nonce: str | None


async def told_of(daemon: Daemon, block_hash: str) -> Told:
    """What the daemon tells of the block with a hash in display order."""
    try:
        told = await daemon.call("getblock", block_hash, 1)
        return Told(str(told["chainwork"]), told.get("anchor"), told.get("nonce"))
    except Refused as error:
        raise NotFound(f"the daemon has no block {block_hash}: {error.reason}") from error
    except (TypeError, KeyError, AttributeError) as error:
        raise UpstreamUnavailable("the daemon answered with no block: ask again later") from error
