"""What Blockbook says of itself, of its backend and of the coin."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from explorer.api.blockbook.shapes import Json, without_empty
from explorer.db import View
from explorer.queries.blocks import block
from indexer import __version__
from indexer.chain.keys import hash_text
from indexer.chain.params import branch_id

NAME, SHORTCUT, DECIMALS = "Flux", "FLUX", 8
ABOUT: Final = "Flux Explorer: the part of Blockbook's interface that wallets use, on an index of its own."
MAIN: Final = "main"


async def wallet_status(view: View) -> Json:
    """What wallets ask first: which coin, which tip, which branch signatures commit to."""
    daemon = view.meta.daemon
    backend = without_empty({"version": _text(daemon.get("version")), "subversion": daemon.get("subversion")})
    return {
        "name": NAME,
        "shortcut": SHORTCUT,
        "network": SHORTCUT,
        "decimals": DECIMALS,
        "version": __version__,
        "bestHeight": view.tip.height,
        "bestHash": hash_text(view.tip.hash),
        "block0Hash": view.network.genesis_hash,
        "testnet": view.network.name != MAIN,
        "backend": backend | {"consensus": _consensus(view)},
    }


async def status(view: View) -> Json:
    """The two halves of Blockbook's status: ``blockbook`` and ``backend``."""
    return {"blockbook": _blockbook(view), "backend": await _backend(view)}


def _consensus(view: View) -> Json:
    at, after = (branch_id(view.network, view.tip.height + n) for n in (0, 1))
    return {"chaintip": f"{at:08x}", "nextblock": f"{after:08x}"}


def _blockbook(view: View) -> Json:
    state = view.told.state
    pool = view.pool
    shown: dict[str, Any] = {
        "coin": NAME,
        "network": SHORTCUT,
        "version": __version__,
        "syncMode": True,
        "initialSync": state == "catching_up",
        "inSync": state == "following",
        "bestHeight": view.tip.height,
        "lastBlockTime": _moment(view.tip.time),
        "inSyncMempool": pool is not None and pool.stale_since is None,
        "lastMempoolTime": None if pool is None else _moment(pool.updated_at),
        "mempoolSize": 0 if pool is None else pool.count,
        "decimals": DECIMALS,
        "hasFiatRates": False,
        "about": ABOUT,
    }
    return without_empty(shown)


async def _backend(view: View) -> Json:
    daemon, best = view.meta.daemon, await block(view, view.tip.height)
    shown = {
        "chain": view.network.name,
        "blocks": view.tip.height,
        "headers": daemon.get("headers") or daemon.get("height"),
        "bestBlockHash": best.hash,
        "difficulty": f"{best.difficulty:.16g}",
        "version": _text(daemon.get("version")),
        "subversion": daemon.get("subversion"),
        "consensus": _consensus(view),
    }
    return without_empty(shown)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
