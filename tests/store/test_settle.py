"""After an error of the database: our operations on the server end before we recover, so that no late write follows."""

from __future__ import annotations

import time
from contextlib import closing
from threading import Thread

from pymongo.errors import PyMongoError

from indexer.store.mongo import MongoStore


class SlowDelete(Thread):
    """A delete that matches nothing and takes 50 ms for each row; ``error`` is what it ended with."""

    def __init__(self, store: MongoStore, rows: int) -> None:
        super().__init__()
        self.error: PyMongoError | None = None
        self._store = store
        store.insert("blocks", [{"_id": height} for height in range(rows)])
        self.start()
        deadline = time.monotonic() + 10
        while not store._running():
            assert time.monotonic() < deadline, "the slow operation is not seen"
            time.sleep(0.01)

    def run(self) -> None:
        try:
            self._store.database["blocks"].delete_many({"$where": "sleep(50) || false"})
        except PyMongoError as error:
            self.error = error


def test_settle_ends_our_running_operations(mongod: str, database_name: str) -> None:
    with closing(MongoStore(mongod, database_name)) as store:
        delete = SlowDelete(store, 400)
        store.settle()
        assert not store._running()
        delete.join(5)
        assert not delete.is_alive()
        assert delete.error is not None


def test_settle_leaves_other_databases_alone(mongod: str, database_name: str) -> None:
    other_name = f"{database_name}x"
    with closing(MongoStore(mongod, database_name)) as store, closing(MongoStore(mongod, other_name)) as other:
        delete = SlowDelete(other, 20)
        store.settle()
        delete.join()
        other.database.client.drop_database(other_name)
    assert delete.error is None
