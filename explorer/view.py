"""What a query reads through: the chain at one tip, and what is noted of its reading for the fence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Protocol, TypeVar

from explorer import grounds
from explorer.by_id import HEIGHTS, Rows, RowsById
from explorer.errors import AboveTip, index_missing
from explorer.kept import Kept
from explorer.meta import Meta, Tip
from explorer.parallel.base import Parallel
from explorer.pool import NAME, Pool, names_of
from indexer.chain.params import Network
from indexer.store.codec import Document
from indexer.store.schema import NODES, UTXOS

T = TypeVar("T")
Filter = Mapping[str, Any]
Sort = Sequence[tuple[str, int]]

MUTABLE: Final = frozenset((UTXOS.name, NODES.name))


class Reads(Protocol):
    """The database as a view reads it, unfenced."""

    network: Network
    meta: Meta
    kept: Kept
    by_id: RowsById

    async def find_one(self, collection: str, where: Filter, sort: Sort) -> Document | None:
        """The first matching document."""

    async def find(
        self, collection: str, where: Filter, sort: Sort = (), limit: int = 0, fields: Sequence[str] = ()
    ) -> list[Document]:
        """The matching documents."""

    async def aggregate(self, collection: str | None, pipeline: Sequence[Mapping[str, Any]]) -> list[Document]:
        """What a pipeline gives."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """The result of a query and the tip that it is true for; ``shown``: what else it shows, each with its revision."""

    value: T
    tip: Tip
    shown: Mapping[str, int] = field(default_factory=dict)


class Torn(Exception):
    """A mutable row was about to be read while the tip is dirty: the query has to be asked again."""


class View:
    """The chain at one tip. What a query reads through it is noted, for the fence."""

    def __init__(self, database: Reads, tip: Tip) -> None:
        self._database = database
        self.tip = tip
        self.network: Network = database.network
        self.meta: Meta = database.meta
        self.mutable = False
        self.looked_at_pool = False
        self.shown: dict[str, int] = {}
        self._read: dict[str, Rows] = {}  # of collections whose rows are final, what this query has had already

    @property
    def parallel(self) -> Parallel | None:
        """What is known of the parallel chains; None where there are none. To ask is to depend on it."""
        self.shown |= self.meta.revisions("parallel")
        return self.meta.parallel

    @property
    def told(self) -> Meta:
        """Everything that meta says. To ask is to be true for a second at most."""
        grounds.rest_on_all_told()
        return self.meta

    @property
    def checks(self) -> Mapping[str, Any]:
        """What the index was last compared with, and how that ended. To ask is to depend on it."""
        self.shown |= self.meta.revisions("checks")
        return self.meta.checks

    @property
    def pool(self) -> Pool | None:
        """The unconfirmed set; None while it is unknown. To ask is to depend on it, also when it is unknown."""
        return self._pool((NAME,))

    def pool_about(self, keys: Iterable[bytes]) -> Pool | None:
        """The unconfirmed set, of which only what touches these address keys or txids (wire order) is looked at.

        To ask is to depend on the parts of it where that stands.
        """
        return self._pool(names_of(keys))

    def _pool(self, names: Iterable[str]) -> Pool | None:
        self.looked_at_pool = True
        self.shown |= self.meta.revisions(*names)
        pool = self.meta.pool
        return pool if pool is not None and pool.is_near(self.tip.height) else None

    def _touch(self, *collections: str) -> None:
        if not MUTABLE.isdisjoint(collections):
            self.mutable = True
            if self.tip.dirty:
                raise Torn

    def kept(self, name: str, height: int) -> Any:
        """What a query of this epoch kept under ``name`` for the greatest height up to ``height``, or None."""
        return self._database.kept.at_or_below(self.tip.epoch, name, height)

    def keep(self, name: str, height: int, value: Any) -> None:
        """Keep what was made of immutable rows up to ``height`` for later questions."""
        self._database.kept.keep(self.tip.epoch, name, height, value)

    async def once(self, name: str, height: int, make: Callable[[], Awaitable[T]]) -> T:
        """What ``make`` makes of immutable rows up to ``height``: kept, and made once for all who ask meanwhile."""
        return await self._database.kept.once(self.tip.epoch, name, height, make)

    def require_height(self, height: int) -> int:
        """``height`` itself; AboveTip when the index has not reached it."""
        if height > self.tip.height:
            raise AboveTip(height, self.tip.height)
        return height

    def require_index(self, name: str) -> None:
        """Raise Syncing, with the percentage, unless the late index ``<collection>.<index>`` is built."""
        if name in self.meta.ready:
            return
        raise index_missing(name, self.meta.building.get(name))

    async def row(self, collection: str, id: Any) -> Document | None:
        """The row with this ``_id``, or None: as ``rows``."""
        return (await self.rows(collection, (id,))).get(id)

    async def rows(self, collection: str, ids: Iterable[Any]) -> Rows:
        """Those of the rows that exist, by ``_id``; of what is immutable none above the tip.

        What is asked for at the same time is read together. An immutable row is read once for a query, a small one
        once in an epoch: they are not to be changed.
        """
        self._touch(collection)
        wanted = set(ids)
        read = self._read.setdefault(collection, {}) if collection in HEIGHTS else {}
        if lacking := wanted - read.keys():
            read |= await self._database.by_id.read(self.tip, collection, lacking)
        return {id: read[id] for id in wanted if id in read}

    async def one(self, collection: str, where: Filter, *, sort: Sort = ()) -> Document | None:
        """The first matching document in ``sort`` order, or None."""
        self._touch(collection)
        return await self._database.find_one(collection, where, sort)

    async def many(
        self, collection: str, where: Filter, *, sort: Sort = (), limit: int = 0, fields: Sequence[str] = ()
    ) -> list[Document]:
        """The matching documents in ``sort`` order, at most ``limit`` unless 0, with all ``fields`` unless named."""
        self._touch(collection)
        return await self._database.find(collection, where, sort, limit, fields)

    async def aggregate(self, collection: str | None, pipeline: Sequence[Mapping[str, Any]]) -> list[Document]:
        """What a pipeline makes of a collection; None: of its own ``$documents``."""
        others = (stage.get("$lookup") or stage.get("$unionWith") for stage in pipeline)
        joined = (other["from"] if "from" in other else other["coll"] for other in others if other)
        self._touch(*joined, *(() if collection is None else (collection,)))
        return await self._database.aggregate(collection, pipeline)

    def holds(self, now: Tip | None) -> bool:
        """Whether what was read is true for ``self.tip``, given the tip read afterwards."""
        if now is None:
            return False
        return now == self.tip if self.mutable else now.epoch == self.tip.epoch
