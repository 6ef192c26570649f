"""The supply of all chains on a running demo network: coins move, one is minted without backing, a chain goes away.

The daemon serves the parallel chains as well; the site reads them over their own protocols every half second.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from threading import Event, Thread
from typing import Any

import pytest

from indexer.chain.keys import hash_text
from indexer.chain.params import COIN
from indexer.demo.parallel.chains import CHAINS
from tests.demo.chains import NOW
from tests.demo.parallel_chains import unbacked
from tests.demo.site import NETWORK, Site, running_site

FIRST_BLOCKS = 810
ROUNDS = 6
CHECK = "whitepaper_440m_addresses"
SETTINGS = {"FLUX_PARALLEL_INTERVAL_SECONDS": "0.5", "FLUX_PARALLEL_STALE_SECONDS": "5"}


@pytest.fixture(scope="module")
def site(mongod: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The network after the launch of some chains: what others have is the issuer's, and read all the same."""
    folder = tmp_path_factory.mktemp("supply")
    with running_site(mongod, folder, f"t_supply_{os.getpid()}", FIRST_BLOCKS, SETTINGS) as running:
        for key in ("kda", "erg"):
            running.rpc.call("demo_chain", key, "up")
        yield running


def zat(text: str) -> int:
    whole, fraction = text.split(".")
    return int(whole) * COIN + int(fraction)


def check(site: Site) -> Any:
    """The check of the whitepaper's limit by addresses."""
    return next(entry for entry in site.json("/supply/cap")["checks"] if entry["name"] == CHECK)


def until_state(site: Site, state: str) -> Any:
    def told() -> Any:
        found = check(site)
        return found["state"] == state and found

    return site.until(f"the check is {state}", told)


class Witness:
    """Asks for the supply all the while and keeps what is shown: the total of all chains at each cut."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.answers = 0
        self.totals: dict[tuple[str, int], str] = {}  # by hash of the cut's block and time

    def look(self) -> None:
        totals = self._site.json("/supply")["totals"]
        self.answers += 1
        if totals["all_chains_addresses"] is not None:
            cut = totals["cut"]
            self.totals[cut["hash"], cut["time"]] = totals["all_chains_addresses"]

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look until the block ends."""
        stop = Event()

        def watch() -> None:
            while not stop.is_set():
                self.look()

        thread = Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def native_total(site: Site) -> int:
    """What the daemon itself has on the native chain, zatoshi."""
    chain = site.daemon.chain
    return sum(coin.value for coin in chain.coins.values()) + chain.sprout + chain.sapling


def test_moving_coins_leaves_the_total_of_all_chains_unchanged(site: Site) -> None:
    """Whatever is shown, at whatever moment: all that there is on all chains is what was issued on the native one."""
    witness, random, issued = Witness(site), Random("moves"), {}

    def note_tip() -> None:
        with site.daemon.lock:
            issued[hash_text(site.daemon.chain.tip.hash)] = native_total(site)
            assert unbacked(site.daemon.chain) == 0

    def until_shown() -> None:
        best = site.rpc.call("getbestblockhash")
        site.until(f"a total at {best}", lambda: any(block == best for block, _ in witness.totals))

    note_tip()
    with witness.watching():
        until_shown()
        for number in range(ROUNDS):
            for origin, target in directions(random):
                site.rpc.call("demo_move", origin, target, str(random.randint(1, 40_000)))
            with site.daemon.lock:
                if number % 3 == 2:
                    site.daemon.reorganise(2, NOW)
                else:
                    site.daemon.generate(1)
                note_tip()
            site.rpc.call("demo_move", "eth", "kda", "1234.56789")
            until_shown()
    shown = {block: zat(total) - issued[block] for (block, _), total in witness.totals.items()}
    assert set(shown.values()) == {0}
    assert len(shown) >= ROUNDS
    assert witness.answers > 2 * len(witness.totals)


def directions(random: Random) -> list[tuple[str, str]]:
    """A move to the native chain, one from it, one beside it."""
    launched = [chain.key for chain in CHAINS if chain.launch_height(NETWORK) <= FIRST_BLOCKS]
    first, second, third, fourth = random.sample(launched, 4)
    return [(first, "native"), ("native", second), (third, fourth)]


def supply_at(site: Site, block: str) -> Any:
    """The supply once it is told for a block, on all chains at one moment."""

    def told() -> Any:
        found = site.json("/supply")
        return found["totals"]["cut"]["hash"] == block and found

    return site.until(f"a cut at {block}", told)


def test_the_whitepapers_example(site: Site) -> None:
    """2,000 FLUX from BSC to the native chain: locked there, freed here, net zero."""
    (quiet,) = site.rpc.call("generate", 1)  # with all that still waits
    before = supply_at(site, quiet)
    txid = site.rpc.call("demo_move", "bsc", "native", "2000")
    (block,) = site.rpc.call("generate", 1)
    site.until_confirmed(txid, block)
    after = supply_at(site, block)
    outstanding = [zat(next(c["outstanding"] for c in s["parallel"] if c["chain"] == "bsc")) for s in (before, after)]
    held = [zat(s["native"]["fusion"]["held"]) for s in (before, after)]
    assert outstanding[0] - outstanding[1] == held[0] - held[1] == 2_000 * COIN
    added = zat(after["native"]["total"]) - zat(before["native"]["total"])
    assert zat(after["totals"]["all_chains_addresses"]) - zat(before["totals"]["all_chains_addresses"]) == added


def test_an_unbacked_mint_turns_the_check_red(site: Site) -> None:
    assert until_state(site, "within")["missing"] == []
    site.rpc.call("demo_mint", "bsc", "400000000")
    found = until_state(site, "exceeded")
    assert zat(found["headroom"]) < 0 < zat(found["value"]) - zat(found["limit"])
    assert "exceeded" in site.page("/supply").lower()
    site.rpc.call("demo_mint", "bsc", "-400000000")
    until_state(site, "within")


def test_a_chain_out_of_reach_makes_the_check_unknown_until_it_is_back(site: Site) -> None:
    good = until_state(site, "within")
    last = chain_of(site, "kda")
    assert site.rpc.call("demo_chain", "kda", "down") == "down"
    found = until_state(site, "unknown")
    assert (found["missing"], found["value"], found["headroom"]) == (["kda"], None, None)
    away = chain_of(site, "kda")
    assert (away["state"], away["outstanding"]) == ("stale", last["outstanding"])
    assert away["as_of"]["time"] >= last["as_of"]["time"] and "broke off" in away["reason"]
    page = site.page("/supply") + site.page("/parallel")
    assert "Kadena" in page and "unknown" in page.lower() and "broke off" in page
    assert chain_of(site, "eth")["state"] == "fresh"
    site.rpc.call("demo_chain", "kda", "up")
    again = until_state(site, "within")
    assert (again["limit"], again["value"]) == (good["limit"], good["value"])
    assert chain_of(site, "kda")["reason"] is None


def chain_of(site: Site, key: str) -> Any:
    return next(chain for chain in site.json("/supply")["parallel"] if chain["chain"] == key)
