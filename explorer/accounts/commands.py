"""What the operator does with accounts, at the command line: list, export, delete, block."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from explorer.accounts.book import Accounts
from explorer.db import open_database
from explorer.errors import ExplorerError
from indexer.config import Config
from indexer.errors import ConfigError

Action = Callable[[Accounts, str], Awaitable[int]]

MISSING: Final = 1


def run(config: Config, action: str, address: str | None) -> int:
    """Do one of ``ACTIONS``; 1 when there is no such account. ConfigError without the address that it needs."""
    if action != "list" and not address:
        raise ConfigError(f"accounts {action} needs the address of the account")
    return asyncio.run(_run(config, action, address or ""))


async def _run(config: Config, action: str, address: str) -> int:
    database = config.database
    async with open_database(database.uri, config.database_name, config.network, database.driver) as db:
        try:
            return await ACTIONS[action](Accounts(db, config.network), address)
        except ExplorerError as error:
            raise ConfigError(str(error)) from error


async def _list(book: Accounts, address: str) -> int:
    """Print a line for each account, those seen last first."""
    for row in await book.overview():
        seen = datetime.fromtimestamp(row.seen, UTC).strftime("%Y-%m-%d")
        blocked = ", blocked" if row.blocked else ""
        print(f"{row.address}  seen {seen}, {row.watches} watched, {row.webhooks} webhooks{blocked}")
    return 0


async def _export(book: Accounts, address: str) -> int:
    """Print everything that is kept of an account as JSON."""
    if not await book.exists(address):
        return _missing(address)
    print(json.dumps(await book.export(address), indent=2))
    return 0


async def _delete(book: Accounts, address: str) -> int:
    """Remove everything that is kept of an account."""
    if not await book.delete(address):
        return _missing(address)
    print(f"everything that was kept of {address} is gone; its feed and webhooks ended")
    return 0


async def _block(book: Accounts, address: str) -> int:
    """Keep an address out: it cannot sign in, and its webhooks are paused. It need not have an account."""
    await book.block(address)
    print(f"{address} is blocked: its sessions ended, its webhooks are paused, its feed leads nowhere")
    return 0


async def _unblock(book: Accounts, address: str) -> int:
    """Let an address sign in again; its webhooks stay paused until it lets them go on."""
    if not await book.unblock(address):
        return _missing(address)
    print(f"{address} may sign in again; its webhooks stay paused until it lets them go on")
    return 0


def _missing(address: str) -> int:
    print(f"there is no account {address[:100]}")
    return MISSING


ACTIONS: Final[dict[str, Action]] = {
    "list": _list, "export": _export, "delete": _delete, "block": _block, "unblock": _unblock,
}  # fmt: skip
