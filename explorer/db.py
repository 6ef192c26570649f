"""The database as the explorer sees it: fenced reads, and a journal of its own. The only module that imports motor.

The indexer moves ``meta.tip`` when everything at or below it is in place. Immutable rows are read at or below
a tip and are true for it unless rows were removed meanwhile: the epoch tells. Mutable rows (``utxos``,
``nodes``) are overwritten, so the whole tip must be the same before and after, and not marked dirty.
A query need not know: its ``View`` notes what it reads, and ``Database.fenced`` asks it again when the answer
may be torn.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, ReplaceOne, ReturnDocument
from pymongo.errors import ExecutionTimeout, NetworkTimeout, PyMongoError, WaitQueueTimeoutError

from explorer import grounds
from explorer.by_id import RowsById
from explorer.errors import ExplorerError, Syncing, TooSlow, UpstreamUnavailable
from explorer.kept import Kept
from explorer.languages.phrases import Phrase
from explorer.meta import LAG_BLOCKS, Meta, Tip, read_tip
from explorer.parallel.base import Parallel
from explorer.parallel.chains import ChainsFile
from explorer.parallel.state import PARALLEL_READINGS, STATE_ID, read_parallel
from explorer.pool import read_pool
from explorer.tasks import end
from explorer.view import Answer as Answer
from explorer.view import Filter, Sort, Torn
from explorer.view import View as View
from indexer.chain.params import Network
from indexer.store.codec import Document
from indexer.store.schema import ACCOUNTS, CHALLENGES, SESSIONS, WEBHOOKS

P = ParamSpec("P")
T = TypeVar("T")
Query = Callable[Concatenate[View, P], Awaitable[T]]

POLL_SECONDS = 0.2
PATIENCE_SECONDS = 2.0
PAUSE_SECONDS = 0.005
SERVER_TIMEOUT_MS = 2000
TIMEOUTS = (ExecutionTimeout, NetworkTimeout, WaitQueueTimeoutError)
QUERY_SECONDS = 30.0  # until the server gives up a question, unless the settings say otherwise
SLACK_MS = 5000  # more, until a server that does not even give up counts as silent
BATCH = 5000  # documents a reply; a list of up to this many is one round trip

log = logging.getLogger(__name__)


class Database:
    """The collections, read through fences; ``meta`` is what the last poll found."""

    most_ms = int(QUERY_SECONDS * 1000)  # for a question, whatever it is

    def __init__(self, client: Any, name: str, network: Network, chains: ChainsFile | None = None) -> None:
        self._client = client
        self._db = client.get_database(name)
        self.network = network
        self.chains = chains
        self.journal = Journal(self._db)
        self.meta = Meta()
        self.kept = Kept()
        self.by_id = RowsById(self.find)
        self.reachable = False
        self._asked = self._told = 0  # numbers of questions about meta: an older answer is dropped
        self._told_of = {"tip": 0, "pool": 0}  # which are also asked for beside the polls
        self._seen: Tip | None = None
        self._moved = self._close = time.monotonic()

    async def fenced(self, query: Query[P, T], *args: P.args, **kwargs: P.kwargs) -> Answer[T]:
        """The answer of ``query(view, *args)`` and the tip it is true for.

        A query that failed fails here, but only undisturbed, and where it says why only against the newest tip.
        Raises Syncing when there is no block yet, or when no undisturbed moment was found within two seconds.
        """
        with grounds.fence():
            answer = await self._undisturbed(query, *args, **kwargs)
        grounds.rest_on(answer.tip, answer.shown)
        return answer

    async def _undisturbed(self, query: Query[P, T], *args: P.args, **kwargs: P.kwargs) -> Answer[T]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        tip = self.meta.tip or await self._read_tip()
        while True:
            if tip is None:
                raise Syncing(Phrase("no block has been indexed yet: ask again later"))
            view = View(self, tip)
            outcome: T | Exception
            try:
                outcome = await query(view, *args, **kwargs)
            except Exception as error:  # rows may go away under a query: then no failure of it means anything
                outcome = error
            now = await self._read_tip(pool=view.looked_at_pool)
            if not isinstance(outcome, Torn) and view.holds(now):
                if not isinstance(outcome, Exception):
                    return Answer(outcome, tip, view.shown)
                if not isinstance(outcome, ExplorerError) or (now is not None and now.height == tip.height):
                    raise outcome
            if time.monotonic() > deadline:
                raise Syncing(Phrase("the index has been writing for over two seconds: ask again"))
            if isinstance(outcome, Torn) or view.mutable:
                await asyncio.sleep(PAUSE_SECONDS)
                now = await self._read_tip()
            tip = now

    async def poll(self) -> None:
        """Read ``meta`` once: tip, indexes, daemon, checks, mempool, schema, parallel chains if they changed."""
        number = self._ask()
        names = ["tip", "indexes", "source", "checks", "mempool", "schema"]
        found = {d["_id"]: d for d in await self.find("meta", {"_id": {"$in": names}})}
        indexes, source, checks = (found.get(name, {}) for name in ("indexes", "source", "checks"))
        parallel = await self._read_parallel()
        now, meta = (
            time.monotonic(),
            Meta(
                read_tip(found.get("tip")),
                frozenset(indexes.get("ready", ())),
                indexes.get("building", {}),
                source.get("daemon", {}),
                source.get("rates", {}),
                checks.get("checks", {}) | {"verify": checks.get("verify", {})},
                read_pool(found.get("mempool")),
                parallel,
                found.get("schema", {}).get("version", 0),
            ),
        )
        if number < self._told:
            return
        self._told = number
        newer = {name: getattr(self.meta, name) for name, told in self._told_of.items() if number < told}
        meta = replace(meta, **newer)
        if meta.tip != self._seen:
            self._moved, self._seen = now, meta.tip
        if meta.behind is None or meta.behind <= LAG_BLOCKS:
            self._close = now
        self.meta = replace(meta, idle_seconds=now - self._moved, lagging_seconds=now - self._close)

    async def _read_parallel(self) -> Parallel | None:
        """The parallel chains: read again only when their revision is another one."""
        if self.chains is None:
            return None
        known = self.meta.parallel
        where = {"_id": STATE_ID, "revision": {"$ne": -1 if known is None else known.revision}}
        document = await self.find_one(PARALLEL_READINGS, where, ())
        if known is None or document is not None:
            return read_parallel(document, self.chains)
        return known

    async def follow(self) -> None:
        """Poll until cancelled; a database that does not answer is logged once and asked again."""
        while True:
            try:
                await self.poll()
            except UpstreamUnavailable as error:
                if self.reachable:
                    log.warning("%s", error)
                self.reachable = False
            else:
                self.reachable = True
            await asyncio.sleep(POLL_SECONDS)

    async def _read_tip(self, *, pool: bool = False) -> Tip | None:
        """The tip now; what is learned here is not unlearned until the next poll.

        With ``pool`` the unconfirmed set is read too: whoever was shown what is new in it is shown no older answer.
        """
        number = self._ask()
        if not pool:
            tip = read_tip(await self.find_one("meta", {"_id": "tip"}, ()))
            self._learn(number, tip=tip)
            return tip
        found = {d["_id"]: d for d in await self.find("meta", {"_id": {"$in": ["tip", "mempool"]}})}
        tip = read_tip(found.get("tip"))
        self._learn(number, tip=tip, pool=read_pool(found.get("mempool")))
        return tip

    def _learn(self, number: int, **told: Any) -> None:
        """Put into meta what a question beside the polls found, unless a later one was answered already."""
        for name, value in told.items():
            if number > max(self._told, self._told_of[name]):
                self._told_of[name] = number
                if value != getattr(self.meta, name):
                    self.meta = replace(self.meta, **{name: value})

    def _ask(self) -> int:
        self._asked += 1
        return self._asked

    async def find_one(self, collection: str, where: Filter, sort: Sort) -> Document | None:
        """The first matching document, unfenced."""
        grounds.look_outside()
        found = self._db[collection].find_one(where, sort=list(sort) or None, max_time_ms=self.most_ms)
        document: Document | None = await _answered(found)
        return document

    async def find(
        self, collection: str, where: Filter, sort: Sort = (), limit: int = 0, fields: Sequence[str] = ()
    ) -> list[Document]:
        """The matching documents, unfenced."""
        grounds.look_outside()
        cursor = self._db[collection].find(
            where, list(fields) or None, sort=list(sort) or None, limit=limit, batch_size=BATCH,
            max_time_ms=self.most_ms,
        )  # fmt: skip
        documents: list[Document] = await _answered(cursor.to_list(None))
        return documents

    async def aggregate(self, collection: str | None, pipeline: Sequence[Mapping[str, Any]]) -> list[Document]:
        """What a pipeline gives, unfenced."""
        grounds.look_outside()
        source = self._db if collection is None else self._db[collection]
        cursor = source.aggregate(list(pipeline), batchSize=BATCH, maxTimeMS=self.most_ms)
        if inspect.isawaitable(cursor):  # PyMongo's own asynchronous driver sends the command here, motor later
            cursor = await _answered(cursor)
        documents: list[Document] = await _answered(cursor.to_list(None))
        return documents


class Journal:
    """The explorer's own records: the few collections that it writes, none of them a function of the chain."""

    COLLECTIONS: Final = frozenset(
        (PARALLEL_READINGS, WEBHOOKS.name, ACCOUNTS.name, CHALLENGES.name, SESSIONS.name)
    )

    def __init__(self, db: Any) -> None:
        self._db = db

    async def change(
        self, collection: str, where: Filter, change: Mapping[str, Any], *, upsert: bool = False
    ) -> Document | None:
        """Change one matching document in one moment; the document afterwards, None when none matches."""
        operation = self._of(collection).find_one_and_update(
            where, change, upsert=upsert, return_document=ReturnDocument.AFTER
        )
        document: Document | None = await _answered(operation)
        return document

    async def take(self, collection: str, where: Filter) -> Document | None:
        """Remove one matching document in one moment, so that nobody else has it; None when none matches."""
        document: Document | None = await _answered(self._of(collection).find_one_and_delete(where))
        return document

    async def count(self, collection: str, where: Filter) -> int:
        """How many documents match."""
        return int(await _answered(self._of(collection).count_documents(where)))

    async def put(self, collection: str, documents: Sequence[Document]) -> None:
        """Write documents whole, each in the place of the one with its ``_id``."""
        if documents:
            replacements = [ReplaceOne({"_id": d["_id"]}, d, upsert=True) for d in documents]
            await _answered(self._of(collection).bulk_write(replacements, ordered=False))

    async def remove(self, collection: str, where: Filter) -> int:
        """Remove the matching documents; how many there were."""
        return int((await _answered(self._of(collection).delete_many(where))).deleted_count)

    def _of(self, collection: str) -> Any:
        if collection not in self.COLLECTIONS:
            raise ValueError(f"{collection} is not the explorer's to write")
        grounds.look_outside()
        return self._db[collection]


async def _answered(operation: Awaitable[Any]) -> Any:
    try:
        return await operation
    except TIMEOUTS as error:
        raise TooSlow(
            Phrase("the database takes too long for this: ask for less at once, or ask again later")
        ) from error
    except PyMongoError as error:
        raise UpstreamUnavailable(
            Phrase("the database does not answer (%(error)s): ask again later", error=type(error).__name__)
        ) from error


DRIVERS: Final[Mapping[str, Callable[..., Any]]] = {"motor": AsyncIOMotorClient, "pymongo_async": AsyncMongoClient}


@asynccontextmanager
async def open_database(
    uri: str, name: str, network: Network, driver: str = "motor", chains: ChainsFile | None = None,
    query_seconds: float = QUERY_SECONDS,
) -> AsyncIterator[Database]:
    """A database that follows ``meta`` until the context ends.

    Reads go to the primary with majority, so that what a fence has seen cannot be rolled back.
    """
    client = DRIVERS[driver](
        uri, readConcernLevel="majority", serverSelectionTimeoutMS=SERVER_TIMEOUT_MS, appname="flux-explorer",
        waitQueueTimeoutMS=int(query_seconds * 1000), socketTimeoutMS=int(query_seconds * 1000) + SLACK_MS,
    )  # fmt: skip
    database = Database(client, name, network, chains)
    database.most_ms = int(query_seconds * 1000)
    with suppress(UpstreamUnavailable):
        await database.poll()
        database.reachable = True
    following = asyncio.create_task(database.follow())
    try:
        yield database
    finally:
        await end(following)
        closed = client.close()
        if inspect.isawaitable(closed):
            await closed
