"""The indexer: keeps a database at the daemon's tip until it is told to stop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from threading import Event
from typing import Any

import indexer
from indexer.config import Config
from indexer.errors import DuplicateKey, Locked, StoreError, TipMoved, Unavailable
from indexer.mempool import open_mempool
from indexer.progress import ProgressCall, Report
from indexer.richlist import open_richlist
from indexer.selfcheck import open_selfcheck
from indexer.session import Job, Progress, Session, parse_checked
from indexer.source.choose import open_source
from indexer.source.zmq import Wake, waking
from indexer.store.lease import Lease, new_owner
from indexer.store.mongo import MongoStore
from indexer.store.read import StoreReader
from indexer.store.setup import IndexBuilder, prepare

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
PUBLISH_SECONDS = 1.0
STALLED_SECONDS = 120.0
CAUGHT_UP = 10  # blocks behind the daemon at which the late indexes are built

log = logging.getLogger(__name__)


def keep_up(job: Job) -> None:
    """Sessions until told to stop: store errors that may pass are waited out, others end the run."""
    pause = FIRST_PAUSE
    while not job.stop.is_set():
        started = time.monotonic()
        try:
            Session(job).run()
        except TipMoved:
            raise
        except (Unavailable, DuplicateKey) as error:
            if time.monotonic() - started > LONGEST_PAUSE:
                pause = FIRST_PAUSE
            log.warning("%s; beginning again at the last commit in %.1f seconds", error, pause)
            job.stop.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            if not job.stop.is_set():
                _settle(job)


def _settle(job: Job) -> None:
    try:
        job.store.settle()
    except StoreError as error:
        log.warning("%s", error)


class Publisher:
    """Tells ``meta.source`` and the operator how far the indexer is, at most once a second."""

    def __init__(self, store: MongoStore, progress: ProgressCall, caught_up: Callable[[], None]) -> None:
        self._store = store
        self._progress = progress
        self._caught_up = caught_up
        self._started = int(time.time())
        self._next = 0.0
        self._height = -1
        self._moved = time.monotonic()
        self._samples: list[tuple[float, int]] = []

    def __call__(self, progress: Progress) -> None:
        """Note a step."""
        now = time.monotonic()
        if progress.height != self._height:
            self._height, self._moved = progress.height, now
        if now < self._next and not progress.at_tip:
            return
        status = progress.status
        if status is not None and status.height - progress.height <= CAUGHT_UP:
            self._caught_up()
        if now >= self._next:
            self._next = now + PUBLISH_SECONDS
            self._publish(progress, self._rate(now, progress.height))

    def _rate(self, now: float, height: int) -> float:
        """Blocks per second over the last half minute."""
        self._samples = [s for s in self._samples if now - s[0] < 30 and s[1] <= height] + [(now, height)]
        (since, first), (until, last) = self._samples[0], self._samples[-1]
        return (last - first) / (until - since) if until > since else 0.0

    def _publish(self, progress: Progress, rate: float) -> None:
        best = progress.status.height if progress.status else progress.height
        report = Report(progress.height, best, rate, note=progress.problem)
        stalled = best > progress.height and time.monotonic() - self._moved > STALLED_SECONDS and not progress.problem
        state = "stalled" if stalled else "following" if best - progress.height <= CAUGHT_UP else "catching_up"
        if progress.status is None:
            state = "waiting"  # nobody knows how far the chain goes
        rates = {
            "state": state,
            "blocks_per_second": rate,
            "eta_seconds": report.eta_seconds,
            "updated_at": int(time.time()),
            "started_at": self._started,
            "version": indexer.__version__,
        }
        self._store.put_meta("source", {"daemon": _daemon(progress), "rates": rates})
        self._progress(report)


def _daemon(progress: Progress) -> dict[str, Any]:
    status = progress.status
    if status is None:
        return {"reachable": False, "problem": progress.problem}
    return {
        "reachable": not progress.problem,
        "problem": progress.problem,
        "height": status.height,
        "headers": status.headers,
        "hash": status.best_hash,
        "chain": status.chain,
        "version": status.version,
        "subversion": status.subversion,
        "connections": status.connections,
        "initial_download": status.in_initial_download,
    }


def run_indexer(config: Config, uri: str, stop: Event, progress: ProgressCall, *, exclusive: bool = False) -> None:
    """Index into the database at ``uri`` until ``stop``; ``exclusive`` when no other indexer can reach it.

    Errors: FluxError when the operator has to act.
    """
    network = config.network
    with ExitStack() as stack:
        store = stack.enter_context(closing(MongoStore(uri, config.database_name)))
        prepare(store, network)
        lease = Lease(store, new_owner(), stop)
        lease.acquire(exclusive=exclusive)
        stack.callback(lease.release)
        held = StoreReader(store)
        source = stack.enter_context(closing(open_source(config, held.tip().height, held.hash_at, parse_checked)))
        keeper = stack.enter_context(closing(open_mempool(config, store)))
        wake = Wake(stop)
        if config.daemon.zmq:
            stack.enter_context(closing(waking(config.daemon.zmq, wake, keeper.wake)))
        checker = open_selfcheck(config, store)
        if checker is not None:
            stack.callback(checker.close)
        lists = open_richlist(config, store)
        if lists is not None:
            stack.callback(lists.close)
        builder = IndexBuilder(uri, config.database_name, store, stop)
        stack.callback(builder.end)

        def check() -> None:
            if lease.lost.is_set():
                raise Locked("another indexer may have taken over this database; this one stops")
            if lists is not None:
                lists.wait(stop)

        publisher = Publisher(store, progress, builder.begin)
        keep_up(Job(network, store, source, lease.owner, config.indexer, stop, publisher, check, wake.wait))
