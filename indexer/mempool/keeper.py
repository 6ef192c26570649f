"""The thread that keeps the collection like the daemon's mempool."""

from __future__ import annotations

import logging
import time
from threading import Event, Thread

from indexer.chain.params import Network
from indexer.config import Config
from indexer.errors import SourceError, StoreError
from indexer.mempool.ask import DaemonPool, Pool
from indexer.mempool.copy import MempoolCopy
from indexer.mempool.gateway import POLL_SECONDS, GatewayPool
from indexer.source.conf import endpoints
from indexer.source.envelope import Gateways
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
        pool: Pool,
        poll_seconds: float,
        *,
        least_pause: float = LEAST_PAUSE,
        most: int = MOST_TRANSACTIONS,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._network, self._store, self._pool = network, store, pool
        self._poll_seconds, self._least_pause = poll_seconds, least_pause
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
        self._pool.close()

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
            self._ended.wait(self._least_pause)

    def _attempt(self) -> bool:
        """One comparison; whether there was trouble."""
        try:
            if self._copy is None:
                self._copy = MempoolCopy(self._network, self._store, self._pool, *self._bounds)
            try:
                self._copy.compare()
            finally:
                if time.time() - self._copy.compared_at > STALE_SECONDS + 2 * self._least_pause:
                    self._copy.tell_stale()
        except StoreError as error:
            log.debug("mempool: %s; making the copy anew", error)
            self._copy = None
            return True
        except SourceError as error:
            log.debug("mempool: %s", error)
            return True
        return False


def open_mempool(config: Config, store: Store) -> MempoolKeeper:
    """A keeper at work on the daemon of the settings, or on its gateways, which are asked seldom."""
    daemon, network = config.daemon, config.network
    if daemon.gateway and not daemon.url:
        pool = GatewayPool(Gateways(daemon.gateway, timeout=daemon.timeout_seconds))
        return MempoolKeeper(network, store, pool, 0.0, least_pause=POLL_SECONDS)
    rpc = DaemonRpc(endpoints(daemon, network), timeout=daemon.timeout_seconds)
    return MempoolKeeper(network, store, DaemonPool(rpc), config.indexer.poll_seconds)
