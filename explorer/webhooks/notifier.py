"""The notifier: a process that tells the webhooks of the operator's file, each in a task of its own, and accounts'."""

from __future__ import annotations

import asyncio
import signal
import time

from explorer.db import open_database
from explorer.tasks import end
from explorer.webhooks.book import Book
from explorer.webhooks.hooks import load_hooks
from explorer.webhooks.post import Post
from explorer.webhooks.sender import Sender
from explorer.webhooks.tellers import Tellers
from indexer.config import Config
from indexer.errors import ConfigError

LEAST_LEASE = 5.0  # seconds
ATTEMPTS = 3  # deliveries as long as they may take, after which a silent notifier counts as gone


def notify(config: Config) -> int:
    """Tell the webhooks until SIGINT or SIGTERM; the exit code. ConfigError when there are none."""
    if not config.webhooks.file and not config.accounts.are_told:
        raise ConfigError("webhooks.file names nobody to tell: write one as docs/operations.md says, and set it")
    asyncio.run(_notify(config))
    return 0


async def _notify(config: Config) -> None:
    settings = config.webhooks
    hooks = load_hooks(settings.file, config.network, settings.allow_private) if settings.file else ()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    post = Post(settings.timeout_seconds, settings.allow_private, time.time)
    strict = Post(settings.timeout_seconds, False, time.time)  # who signs in must not reach the operator's network
    database = config.database
    async with open_database(database.uri, config.database_name, config.network, database.driver) as db:
        book = Book(db, LEAST_LEASE + ATTEMPTS * settings.timeout_seconds)
        senders = [asyncio.create_task(Sender(db, hook, book, post).run()) for hook in hooks]
        if config.accounts.are_told:
            senders.append(asyncio.create_task(Tellers(db, book, strict).run()))
        print(f"telling {len(hooks)} webhooks", flush=True)
        await stop.wait()
        for task in senders:
            await end(task)
    await post.close()
    await strict.close()
