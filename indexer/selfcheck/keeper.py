"""The thread that checks: when, and what becomes of trouble."""

from __future__ import annotations

import logging
from contextlib import closing
from threading import Event, Thread

from indexer.chain.params import Network
from indexer.config import Config
from indexer.config import Indexer as Settings
from indexer.errors import FluxError, Garbled, Refused
from indexer.selfcheck.checks import Checks, note_unchecked
from indexer.selfcheck.theirs import Daemon
from indexer.source.conf import endpoints
from indexer.source.rpc import DaemonRpc
from indexer.store.base import Store
from indexer.store.commit import TIP
from indexer.store.read import StoreReader
from indexer.store.schedule import Schedule

LOOK_SECONDS, LONGEST_PAUSE = 1.0, 60.0
SUPPLY_TIMEOUT = 600.0  # seconds: the daemon reads its whole utxo set
END_SECONDS = 5.0
NO_DAEMON, SWITCHED_OFF = "no_daemon", "switched_off"
IN_INITIAL_DOWNLOAD = -10  # rpc/protocol.h: RPC_CLIENT_IN_INITIAL_DOWNLOAD

log = logging.getLogger(__name__)


class SelfCheckKeeper:
    """Looks every second whether a check is due, until closed.

    It changes nothing but its verdicts. Trouble with the daemon or the database is the session's to decide about;
    here it only makes the pauses longer.
    """

    def __init__(
        self,
        network: Network,
        store: Store,
        daemon: Daemon,
        settings: Settings,
        *,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._network, self._store, self._daemon = network, store, daemon
        self._settings, self._look_seconds = settings, look_seconds
        self._ended = Event()
        self._told = ""
        self._checks: Checks | None = None
        self._nodes, self._supply = Schedule(0, None), Schedule(0, None)
        self._thread = Thread(target=self._run, name="selfcheck", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread; waits a while for a question under way, which the process may end without."""
        self._ended.set()
        self._thread.join(END_SECONDS)

    def _run(self) -> None:
        pause = self._look_seconds
        with closing(self._daemon):
            while not self._ended.wait(pause):
                pause = self._look_seconds if self._attempt() else min(2 * pause, LONGEST_PAUSE)

    def _attempt(self) -> bool:
        """Check what is due; whether there was no trouble."""
        try:
            self._look(self._checks or self._begin())
        except FluxError as error:
            if not self._ended.is_set():
                self._tell(error)
            return False
        return True

    def _begin(self) -> Checks:
        self._checks = checks = Checks(self._network, self._store, self._daemon, self._ended.wait)
        # The lists are compared after every start, the supply, which costs the daemon much, only when it is due.
        self._nodes = Schedule(self._settings.check_blocks, None)
        self._supply = Schedule(self._settings.check_supply_blocks, checks.last("supply"))
        return checks

    def _look(self, checks: Checks) -> None:
        tip = self._store.meta(TIP)
        if tip is None:
            return
        hash_at = StoreReader(self._store).hash_at
        if self._nodes.due(tip, hash_at):
            self._nodes.last = checks.nodes() or self._nodes.last
        if self._supply.due(tip, hash_at):
            self._supply.last = checks.supply() or self._supply.last

    def _tell(self, error: Exception) -> None:
        """Trouble that passes is the session's to tell; an answer that will stay as it is is told once."""
        passes = not isinstance(error, (Refused, Garbled)) or getattr(error, "code", 0) == IN_INITIAL_DOWNLOAD
        level = logging.DEBUG if passes or str(error) == self._told else logging.WARNING
        log.log(level, "the index cannot be checked against the daemon: %s", error)
        self._told = self._told if passes else str(error)


def open_selfcheck(config: Config, store: Store) -> SelfCheckKeeper | None:
    """A keeper at work on the daemon of the settings; None without a daemon, or when nothing is to be checked.

    A gateway is not asked: its nodes answer each for itself, and the lists of 6,700 nodes are 4 MB a time.
    """
    daemon, settings = config.daemon, config.indexer
    without = daemon.gateway and not daemon.url
    every = {"queue": settings.check_blocks, "supply": settings.check_supply_blocks}
    why = {name: NO_DAEMON if without else None if blocks else SWITCHED_OFF for name, blocks in every.items()}
    note_unchecked(store, why)
    if all(why.values()):
        return None
    rpc = DaemonRpc(endpoints(daemon, config.network), timeout=max(daemon.timeout_seconds, SUPPLY_TIMEOUT))
    return SelfCheckKeeper(config.network, store, Daemon(rpc), settings)
