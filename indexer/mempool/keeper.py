"""The thread that keeps the collection like the daemon's mempool."""

from __future__ import annotations

import logging
import time
from threading import Event, Thread

from indexer.chain.params import Network
from indexer.config import Config
from indexer.errors import SourceError, StoreError
from indexer.mempool.copy import MempoolCopy
from indexer.source.conf import endpoints
from indexer.source.rpc import DaemonRpc
from indexer.store.base import Store

MOST_TRANSACTIONS = 50_000
MOST_BYTES = 100_000_000
STALE_SECONDS = 10
LEAST_PAUSE, LONGEST_PAUSE = 0.05, 5.0
END_SECONDS = 5.0

log = logging.getLogger(__name__)


class MempoolKeeper:
    """Compares at every poll, and when woken, until closed; ``most`` and ``most_bytes`` bound what is kept.

    Trouble with the daemon or the database leaves the set as it is and says so after ten seconds; the session
    meets the same trouble, and it is the one to decide about it and to tell the operator.
    """

    def __init__(
        self,
        network: Network,
        store: Store,
        daemon: DaemonRpc,
        poll_seconds: float,
        *,
        most: int = MOST_TRANSACTIONS,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._network, self._store, self._daemon = network, store, daemon
        self._poll_seconds = poll_seconds
        self._bounds = most, most_bytes
        self._ended, self._woken = Event(), Event()
        self._copy: MempoolCopy | None = None
        self._thread = Thread(target=self._run, name="mempool", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread; waits a while for a question under way."""
        self._ended.set()
        self._woken.set()
        self._thread.join(END_SECONDS)
        self._daemon.close()

    def wake(self, *_: object) -> None:
        """Compare now: a transaction has come, or is in a block. May be called from any thread."""
        self._woken.set()

    def _run(self) -> None:
        pause = self._poll_seconds
        while not self._ended.is_set():
            trouble = self._attempt()
            pause = min(max(2 * pause, LEAST_PAUSE), LONGEST_PAUSE) if trouble else self._poll_seconds
            self._woken.wait(pause)
            self._woken.clear()
            self._ended.wait(LEAST_PAUSE)

    def _attempt(self) -> bool:
        """One comparison; whether there was trouble."""
        try:
            if self._copy is None:
                self._copy = MempoolCopy(self._network, self._store, self._daemon, *self._bounds)
            try:
                self._copy.compare()
            finally:
                if time.time() - self._copy.compared_at > STALE_SECONDS:
                    self._copy.tell_stale()
        except StoreError as error:
            log.debug("mempool: %s; making the copy anew", error)
            self._copy = None
            return True
        except SourceError as error:
            log.debug("mempool: %s", error)
            return True
        return False


def open_mempool(config: Config, store: Store) -> MempoolKeeper | None:
    """A keeper at work on the daemon of the settings; None without a daemon that could tell of its mempool."""
    daemon = config.daemon
    if daemon.gateway and not daemon.url:
        return None
    rpc = DaemonRpc(endpoints(daemon, config.network), timeout=daemon.timeout_seconds)
    return MempoolKeeper(config.network, store, rpc, config.indexer.poll_seconds)
