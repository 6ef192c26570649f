"""Readings are kept: politely, by one explorer at a time, with their age, and added up only when they held together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from explorer.parallel.base import Cut
from explorer.parallel.book import HOURS_KEPT, Book
from explorer.parallel.chains import ChainsFile
from explorer.parallel.state import read_parallel
from tests.explorer.parallel.nodes import COIN, MINTED, algorand
from tests.explorer.parallel.servers import Answer, Asked
from tests.explorer.parallel.world import ISSUER_HELD, OUTSTANDING, World, state_of, world

HOUR = 3600


@pytest.fixture
def w(mongod: str, database_name: str) -> Iterator[World]:
    """Two chains, a daemon, a database."""
    with world(mongod, database_name) as made:
        yield made


def down(asked: Asked) -> Any:
    """A server that cannot be used."""
    return Answer(b"<html>", 502)


def test_before_the_first_reading_nothing_is_known(w: World) -> None:
    parallel = read_parallel(None, w.chains)
    assert parallel.missing == ("algo", "erg")
    assert {known.state for known in parallel.chains} == {"unavailable"}
    assert (parallel.revision, parallel.cut, parallel.mining_from) == (0, None, 825_001)


def test_a_round_reads_all_chains_and_cuts(w: World) -> None:
    parallel = w.run(0)
    assert parallel.missing == ()
    for known in parallel.chains:
        assert known.reading is not None and known.reason is None
        assert (known.reading.minted, known.reading.held) == (MINTED, ISSUER_HELD)
        assert known.reading.time == int(w.clock.now)
    assert parallel.cut is not None and not parallel.cut_stale
    assert (parallel.cut.height, parallel.cut.hash) == (10, (10).to_bytes(32, "big"))
    assert parallel.cut.outstanding == (("algo", OUTSTANDING), ("erg", OUTSTANDING))
    assert parallel.cut.total == 2 * OUTSTANDING


def test_chains_are_asked_once_an_interval(w: World) -> None:
    w.run(0)
    first = w.asked()
    assert first == 2 * 3  # two equal readings of each, and one more after the daemon was asked
    w.run(1, 100, 150)
    assert w.asked() == first
    w.run(100)
    assert w.asked() == 2 * first


def test_every_new_reading_is_a_new_revision_and_nothing_else_is(w: World) -> None:
    first = w.run(0)
    assert w.run(1, 10, 100).revision == first.revision
    assert w.run(300).revision > first.revision


def test_a_chain_that_is_down_is_told_with_its_last_reading_and_comes_back_by_itself(w: World) -> None:
    w.run(0)
    honest, w.nodes["erg"].behaviour = w.nodes["erg"].behaviour, down
    parallel = w.run(331)
    erg = state_of(parallel, "erg")
    assert erg.state == "fresh" and "answered HTTP 502" in (erg.reason or "")
    parallel = w.run(331, 331)
    erg, algo = state_of(parallel, "erg"), state_of(parallel, "algo")
    assert erg.state == "stale" and erg.reading is not None and erg.reading.outstanding == OUTSTANDING
    assert algo.state == "fresh" and parallel.missing == ("erg",)
    assert parallel.cut_stale and parallel.cut is not None and parallel.cut.total == 2 * OUTSTANDING
    w.nodes["erg"].behaviour = honest
    parallel = w.run(*[331] * 4)
    assert parallel.missing == () and state_of(parallel, "erg").reason is None
    assert not parallel.cut_stale and parallel.cut is not None and parallel.cut.time == int(w.clock.now)


def test_a_chain_that_was_never_read_is_unavailable_with_the_reason(w: World) -> None:
    w.nodes["algo"].behaviour = down
    parallel = w.run(0)
    algo = state_of(parallel, "algo")
    assert (algo.state, algo.reading) == ("unavailable", None)
    assert algo.reason == f"127.0.0.1:{w.nodes['algo'].port} answered HTTP 502"
    assert state_of(parallel, "erg").state == "fresh"
    assert parallel.cut is None


def test_a_chain_that_fails_is_asked_less_and_less_often(w: World) -> None:
    w.nodes["algo"].behaviour = down
    waits = []
    for _ in range(7):
        w.run(0)
        row = w.document()["chains"]["algo"]
        waits.append(row["due"] / 1000 - w.clock.now)
        w.clock.now += waits[-1] + 1
    for number, wait in enumerate(waits):
        wanted = 300 * min(2.0 ** (number - 1), 12)
        assert 0.89 * wanted <= wait <= 1.11 * wanted
    row = w.document()["chains"]["algo"]
    assert (row["failures"], row["failed"]) == (7, 7)


def test_who_asks_to_be_left_alone_is_left_alone_by_all_explorers(w: World) -> None:
    w.nodes["algo"].behaviour = lambda _: Answer(b"", 429, {"Retry-After": "1900"})
    began = w.clock.now
    w.run(0)
    asked = len(w.nodes["algo"].asked)
    w.run(*[331] * 5)
    assert w.clock.now < began + 1900 and len(w.nodes["algo"].asked) == asked
    assert "asks to be asked less often" in (state_of(w.run(), "algo").reason or "")
    w.run(*[331] * 2)
    assert len(w.nodes["algo"].asked) == asked + 1


def test_the_share_of_work_does_not_depend_on_the_number_of_explorers(w: World) -> None:
    """Four explorers, each with its own connection, all looking for work at the same time."""

    async def work() -> list[list[bool]]:
        async with w.keeper() as a, w.keeper() as b, w.keeper() as c, w.keeper() as d:
            keepers = [keeper for _, keeper in (a, b, c, d)]
            rounds = []
            for _ in range(4):
                rounds.append(list(await asyncio.gather(*(keeper.turn() for keeper in keepers))))
                w.clock.now += 331
            return rounds

    assert [sum(done) for done in w.loop.run_until_complete(work())] == [1, 1, 1, 1]
    assert w.asked() == 4 * 2 * 3


def test_a_round_whose_explorer_died_is_done_by_another_when_its_time_is_over(w: World) -> None:
    async def work() -> None:
        async with w.keeper() as (_, dead), w.keeper() as (_, alive):
            assert await dead._book.claim() is not None  # and it is never heard of again
            assert not await alive.turn()
            w.clock.now += 60
            assert await alive.turn()

    w.loop.run_until_complete(work())
    assert w.asked() == 2 * 3


def test_an_explorer_that_took_too_long_writes_nothing_over_the_work_of_another(w: World) -> None:
    async def work() -> None:
        async with w.keeper() as (_, slow), w.keeper() as (_, other):
            def outrun(asked: Asked) -> Any:
                """While the first explorer waits for this answer, its time is over and the other one is done."""
                w.nodes["algo"].behaviour = algorand(w.tokens["algo"])
                w.clock.now += 60
                asyncio.run_coroutine_threadsafe(other.turn(), loop).result(20)
                return Answer(b"", 500)

            loop = asyncio.get_running_loop()
            w.nodes["algo"].behaviour = outrun
            task = asyncio.create_task(slow.run())
            for _ in range(200):
                await asyncio.sleep(0.02)
                if w.nodes["algo"].behaviour is not outrun and not w.document().get("owner"):
                    break
            task.cancel()

    w.loop.run_until_complete(work())
    parallel = w.run()
    assert parallel.missing == () and w.document()["chains"]["algo"]["failed"] == 0


def test_an_explorer_that_ends_in_a_round_leaves_it_to_others_at_once(w: World) -> None:
    async def work() -> None:
        async with w.keeper() as (_, keeper):
            assert await keeper._book.claim() is not None
        async with w.keeper() as (_, keeper):
            assert await keeper.turn()

    w.loop.run_until_complete(work())


def test_readings_outlive_the_explorer_and_do_not_count_as_fresh_when_they_are_old(w: World) -> None:
    first = w.run(0)
    w.restart()
    assert w.run() == first
    w.restart()
    w.clock.now += 901
    late = w.run()
    assert {known.state for known in late.chains} == {"stale"} and late.cut_stale
    assert [known.reading for known in late.chains] == [known.reading for known in first.chains]
    assert late.revision > first.revision


def test_a_site_that_does_not_ask_still_notes_what_grew_old(w: World) -> None:
    w.run(0)
    asked = w.asked()
    w.restart(enabled=False)
    parallel = w.run(901)
    assert w.asked() == asked and parallel.missing == ("algo", "erg")


def test_other_addresses_in_the_settings_make_what_is_kept_worthless(w: World) -> None:
    first = w.run(0)
    chains = w.chains.chains
    other = ChainsFile(825_001, (replace(chains[0], issuers=chains[0].issuers[:1]), chains[1]))
    parallel = read_parallel(w.document(), other)
    assert (parallel.chains[0].state, parallel.chains[0].reading) == ("unavailable", None)
    assert parallel.chains[1].reading is not None and parallel.cut is None
    assert first.cut is not None
    fewer = read_parallel(w.document(), ChainsFile(825_001, chains[:1]))
    assert fewer.chains[0].reading is not None and fewer.cut is None


def moving(w: World, times: int) -> None:
    """A coin goes from the issuer on Ergo to a holder there before each of the next readings."""
    honest, left = w.nodes["erg"].behaviour, [times]

    def answer(asked: Asked) -> Any:
        if "/tokens/" in asked.path and left[0]:
            left[0] -= 1
            token = w.tokens["erg"]
            token.held = (*token.held[:3], token.held[3] - COIN, *token.held[4:])
        return honest(asked)

    w.nodes["erg"].behaviour = answer


def test_a_cut_is_of_a_moment_even_while_coins_move(w: World) -> None:
    w.run(0)
    moving(w, 3)
    parallel = w.run(331)
    assert parallel.cut is not None
    assert dict(parallel.cut.outstanding)["erg"] == OUTSTANDING + 3 * COIN
    erg = state_of(parallel, "erg").reading
    assert erg is not None and erg.outstanding == OUTSTANDING + 3 * COIN


def test_things_that_keep_moving_give_no_cut_and_no_reading_but_the_last(w: World) -> None:
    first = w.run(0)
    moving(w, 1000)
    parallel = w.run(331)
    assert "moved during each of" in (state_of(parallel, "erg").reason or "")
    assert parallel.cut == first.cut


def test_a_move_between_the_two_readings_of_a_cut_is_never_added_up(w: World) -> None:
    """A coin leaves Ergo and comes to Algorand. One is read before it, one after it: the sum would be off."""
    held = w.tokens["algo"].held
    sums, turn = [], [0]
    honest = {key: node.behaviour for key, node in w.nodes.items()}

    def moves(asked: Asked) -> Any:
        """After every fourth question about Ergo's token a coin has moved."""
        if "/tokens/" in asked.path:
            turn[0] += 1
            if turn[0] % 4 == 3:
                for key, sign in (("erg", 1), ("algo", -1)):
                    token = w.tokens[key]
                    token.held = (*token.held[:3], token.held[3] + sign * COIN, *token.held[4:])
        return honest["erg"](asked)

    w.nodes["erg"].behaviour = moves
    for _ in range(6):
        parallel = w.run(331)
        if parallel.cut is not None:
            sums.append(parallel.cut.total)
    assert sums and set(sums) == {2 * OUTSTANDING}
    assert w.tokens["algo"].held != held


def test_a_cut_waits_for_the_index_and_without_it_there_is_none(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.parallel.native.PATIENCE_SECONDS", 0.2)
    w.best = bytes([7]) * 32
    assert w.run(0).cut is None
    w.index(11)
    parallel = w.run(331)
    assert parallel.cut is not None and parallel.cut.height == 11


@pytest.mark.parametrize("said", [None, 5, "zz", "00" * 31, {}])
def test_a_daemon_that_gives_no_hash_gives_no_cut(w: World, said: Any) -> None:
    w.daemon.behaviour = lambda asked: {"result": said, "error": None, "id": asked.body["id"]}
    parallel = w.run(0)
    assert parallel.cut is None and parallel.missing == ()


def test_a_daemon_that_does_not_answer_gives_no_cut(w: World) -> None:
    w.daemon.behaviour = down
    parallel = w.run(0)
    assert parallel.cut is None and parallel.missing == ()


@pytest.mark.parametrize(("heard", "height"), [(10, 10), (11, None), (None, None)])
def test_without_a_daemon_the_tip_of_the_index_is_taken_if_nothing_is_known_beyond(
    w: World, heard: int | None, height: int | None
) -> None:
    w.has_daemon = False
    source = {"daemon": {} if heard is None else {"height": heard}}
    w.store.database.meta.replace_one({"_id": "source"}, source, upsert=True)
    cut = w.run(0).cut
    assert (None if cut is None else cut.height) == height
    assert w.daemon.asked == []


def test_an_unbacked_mint_raises_the_sum(w: World) -> None:
    first = w.run(0).cut
    w.tokens["algo"].minted += 7 * COIN
    second = w.run(331).cut
    assert first is not None and second is not None
    assert second.total - first.total == 7 * COIN


def test_every_hour_has_one_row_of_its_last_cut(w: World) -> None:
    w.clock.now = 1_800_000_000 - 1_800_000_000 % HOUR + 10.0
    w.run(0, 331)
    w.tokens["algo"].minted += COIN
    w.run(331)
    (row,) = w.hours()
    assert (row["_id"] % HOUR, row["height"]) == (0, 10)
    assert row["outstanding"] == {"algo": OUTSTANDING + COIN, "erg": OUTSTANDING}
    assert row["total"] == 2 * OUTSTANDING + COIN
    w.nodes["erg"].behaviour = down
    w.run(331)
    assert w.hours() == [row]  # the hour has seen a cut
    w.run(HOUR)
    later = w.hours()[1]
    assert later["outstanding"] == {"algo": OUTSTANDING + COIN} and "total" not in later


def test_hours_are_kept_for_five_years(w: World) -> None:
    w.run(0)
    w.clock.now += (HOURS_KEPT + 2) * HOUR
    w.run(0)
    assert len(w.hours()) == 1


def test_a_fault_is_logged_and_the_keeper_goes_on(
    w: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kept, faults = Book.keep_cut, [ZeroDivisionError("nobody foresaw this")]

    async def keep_cut(self: Book, cut: Cut) -> None:
        if faults:
            raise faults.pop()
        await kept(self, cut)

    async def work() -> None:
        async with w.keeper() as (database, keeper):
            task = asyncio.create_task(keeper.run())
            while faults or database.meta.parallel is None or database.meta.parallel.cut is None:
                await asyncio.sleep(0.02)
                w.clock.now += 1
            task.cancel()

    monkeypatch.setattr(Book, "keep_cut", keep_cut)
    w.loop.run_until_complete(asyncio.wait_for(work(), 20))
    assert "a fault while the parallel chains were read" in caplog.text
    assert "nobody foresaw this" in caplog.text
