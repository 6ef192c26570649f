"""What is kept is the answer: the same bytes, for as long as they are true, and nobody's own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pytest

from explorer import cache, grounds
from explorer.cache import NOT_IN_304, CacheMiddleware
from explorer.etag import etag
from explorer.meta import Meta, Tip
from explorer.pages import formats
from tests.explorer.client import Client
from tests.explorer.test_routes import ADDRESS, BAD, BLOCK, GOOD, NODE, NODE_TX, TXID
from tests.explorer.waves import Waves

TIP = Tip(7, bytes(32), 0, 1, False, 0)
NEXT = Tip(8, b"n" * 32, 0, 1, False, 0)
TAG = etag(TIP)

PAGES = [
    "/", "/blocks", "/block/1850", f"/block/{BLOCK}", "/block/0?limit=1", f"/tx/{TXID}", f"/tx/{NODE_TX}",
    f"/address/{ADDRESS}", f"/address/{ADDRESS}?view=utxos", "/nodes", "/nodes/stratus", f"/node/{NODE}", "/payouts",
    "/producers", "/supply", "/mempool", "/charts", "/charts/fees", "/charts/fees.svg", "/charts/fees.csv", "/richlist",
    "/status", "/badge/height.svg", "/embed/tip", "/preview/tip.png", "/api/blocks?limit=2", "/api/v2/block/5",
    "/daemon/getblockcount", "/static/site.css", "/methodology", "/reorgs",
]  # fmt: skip
OWN = {"Cookie": "visitor=1"}  # goes by what is kept
TRIPS, TRIPS_OF_OTHERS = 3, 4  # to the database for an answer of ours, of the APIs of others; the last reads the tip
OF_OTHERS = ("/api/", "/insight-api/", "/daemon/", "/explorer/")


@pytest.mark.parametrize("url", [*GOOD, *PAGES])
def test_cold_answers_take_few_round_trips_and_hot_ones_are_the_same_to_the_byte(client: Client, url: str) -> None:
    trips = []
    for _ in range(3):  # what is made once for a tip may have to be made first, and the site looks at the database too
        with Waves() as waves:
            counted, cold = client.run(waves.count(client.http.get(url, headers=OWN)))
        trips.append(counted)
    of_others = url.startswith(OF_OTHERS) and not url.startswith("/api/v1/")
    assert min(trips) <= (TRIPS_OF_OTHERS if of_others else TRIPS)
    for other in (client.get(url), client.get(url)):
        assert (other.status_code, other.content) == (200, cold.content)
        assert sorted(other.headers.raw) == sorted(cold.headers.raw)
    if tag := cold.headers.get("etag"):
        known = client.get(url, headers={"If-None-Match": tag})
        assert (known.status_code, known.content) == (304, b"")
        assert "content-length" not in known.headers
        content = {*NOT_IN_304, b"content-language"}
        assert {*known.headers.raw} == {header for header in cold.headers.raw if header[0] not in content}


@pytest.mark.parametrize("encoding", ["gzip", "identity", "br, gzip;q=0.5"])
def test_answers_are_kept_as_they_are_packed(client: Client, encoding: str) -> None:
    url = f"/api/v1/blocks/{BLOCK}/transactions"
    cold, _, hot = (client.get(url, headers={"Accept-Encoding": encoding} | own) for own in (OWN, {}, {}))
    assert cold.headers == hot.headers
    assert cold.headers.get("content-encoding") == (None if encoding == "identity" else "gzip")
    assert cold.content == hot.content


@pytest.mark.parametrize("url", [url for url, *_ in BAD] + ["/block/999999", "/nothing", "/search?q=nothing-like-it"])
def test_errors_are_never_kept(client: Client, url: str) -> None:
    first, again = client.get(url), client.get(url)
    assert first.status_code == again.status_code >= 400
    assert first.headers["cache-control"] == again.headers["cache-control"] == "no-store"


def test_pages_are_kept_apart_by_language_theme_host_and_kind(client: Client) -> None:
    plain = client.get(f"/block/{BLOCK}")
    for headers in (
        {"Accept-Language": "de"}, {"Cookie": "language=de"}, {"Cookie": "theme=dark"}, {"Accept": "application/json"},
        {"Host": "elsewhere.example"},
    ):  # fmt: skip
        other = client.get(f"/block/{BLOCK}", headers=headers)
        assert other.content != plain.content
        assert other.content == client.get(f"/block/{BLOCK}", headers=headers).content
    assert client.get(f"/block/{BLOCK}", headers={"Cookie": "theme=other"}).content == plain.content


class Site:
    """A cache before an application that counts its answers; ``meta`` is what is current."""

    def __init__(self, most: int = 1 << 20) -> None:
        self.meta = Meta(TIP)
        self.rests_on: Tip | None = TIP
        self.made = 0
        self.may: asyncio.Event | None = None
        self.answer: Callable[[], tuple[int, str, bytes]] = lambda: (200, TAG, b"body")
        self.more: list[tuple[bytes, bytes]] = []
        self.cache = CacheMiddleware(self._app, lambda scope: self.meta, most)

    async def _app(self, scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        self.made += 1
        if self.may is not None:
            await self.may.wait()
        if self.rests_on is not None:
            grounds.rest_on(self.rests_on, {})
        status, tag, body = self.answer()
        headers = [*self.more, *([(b"etag", tag.encode())] if tag else [])]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def ask(self, path: str = "/", query: bytes = b"", **headers: str) -> tuple[int, bytes]:
        """Status and body of an answer."""
        told: list[MutableMapping[str, Any]] = []

        async def send(message: MutableMapping[str, Any]) -> None:
            told.append(message)

        async def receive() -> Any:
            raise AssertionError("nobody reads the body of GET")

        names = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "method": "GET", "path": path, "query_string": query, "headers": names}
        await self.cache(scope, receive, send)
        return told[0]["status"], b"".join(message.get("body", b"") for message in told[1:])


def asked(site: Site, *questions: dict[str, Any]) -> int:
    """How many answers the application had to make for these questions."""

    async def ask() -> int:
        for question in questions:
            await site.ask(**question)
        return site.made

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("answer", "made"),
    [
        ((200, TAG, b"x"), 1),
        ((200, etag(NEXT), b"x"), 2),  # older or newer than what the process knows
        ((200, '"of its content"', b"x"), 2),
        ((200, "", b"x"), 2),
        ((404, TAG, b"x"), 2),
        ((503, TAG, b"x"), 2),
        ((200, TAG, b"x" * (cache.LARGEST + 1)), 2),
    ],
)
def test_what_is_kept_is_whole_current_and_no_error(answer: tuple[int, str, bytes], made: int) -> None:
    site = Site()
    site.answer = lambda: answer
    assert asked(site, {}, {}) == made


@pytest.mark.parametrize(
    ("other", "made"),
    [
        ({"if_none_match": TAG}, 1),
        ({"cookie": "other=1"}, 2),
        ({"cookie": "theme=dark; session=1"}, 2),
        ({"cookie": "theme=dark"}, 2),
        ({"authorization": "x"}, 2),
        ({"host": "x"}, 2),
        ({"accept": "application/json"}, 2),
        ({"accept": "*/*"}, 1),
        ({"accept_encoding": "br, gzip"}, 2),
        ({"accept_encoding": "br"}, 1),
        ({"query": b"a"}, 2),
        ({"path": "/a"}, 2),
        ({"path": "/" + "a" * 3000}, 2),
    ],
)
def test_who_is_given_what_another_one_was(other: dict[str, Any], made: int) -> None:
    assert asked(Site(), {}, other) == made
    private = other.keys() & {"authorization"} or "other" in other.get("cookie", "") or len(other.get("path", "")) > 9
    assert asked(Site(), other, other) == (2 if private or "session" in other.get("cookie", "") else 1)


def test_a_new_tip_and_a_reorganisation_drop_what_was_kept() -> None:
    async def ask() -> None:
        site = Site()
        site.answer = lambda: (200, etag(site.meta.tip or TIP), b"%d" % site.made)
        for n, tip in enumerate((TIP, NEXT, Tip(7, bytes(32), 0, 2, False, 1)), 1):
            site.meta, site.rests_on = Meta(tip), tip
            assert [await site.ask() for _ in range(2)] == [(200, b"%d" % n)] * 2
            assert await site.ask(if_none_match=etag(tip)) == (304, b"")
            assert site.cache.bytes < 2000
        site.meta = Meta()
        assert await site.ask() == (200, b"4")
        assert site.cache.bytes == 0

    asyncio.run(ask())


@pytest.mark.parametrize(("answer", "made"), [((200, TAG, b"x"), 1), ((404, TAG, b"x"), 6), ((200, "", b"x"), 6)])
def test_who_asks_while_an_answer_is_made_shares_it(answer: tuple[int, str, bytes], made: int) -> None:
    async def ask() -> None:
        site = Site()
        site.may, site.answer = asyncio.Event(), lambda: answer
        asking = [asyncio.create_task(site.ask()) for _ in range(7)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert site.made == 1
        asking.pop().cancel()
        site.may.set()
        assert await asyncio.gather(*asking) == [(answer[0], answer[2])] * 6
        assert site.made == made

    asyncio.run(ask())


def test_one_who_goes_away_while_all_wait_for_him_leaves_them_an_answer() -> None:
    async def ask() -> None:
        site = Site()
        site.may = asyncio.Event()
        leader, *others = [asyncio.create_task(site.ask()) for _ in range(3)]
        await asyncio.sleep(0)
        leader.cancel()
        site.may.set()
        assert await asyncio.gather(*others) == [(200, b"body")] * 2

    asyncio.run(ask())


def test_memory_is_bounded_and_the_least_recently_asked_for_go() -> None:
    site = Site(most=10_000)
    site.answer = lambda: (200, TAG, bytes(1000))
    assert asked(site, *({"path": f"/{n}"} for n in (0, 1, 2, 0, 3, 4, 0))) == 5
    assert site.cache.bytes <= 10_000
    assert asked(site, {"path": "/1"}) == 6


def test_an_answer_with_a_cookie_is_not_kept() -> None:
    site = Site()
    site.more = [(b"set-cookie", b"session=1")]
    assert asked(site, {}, {}) == 2


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("fenced", [False, True])
def test_what_shows_other_records_is_not_kept(outside: bool, fenced: bool) -> None:
    def answer() -> tuple[int, str, bytes]:
        if outside:
            grounds.look_outside()
        if fenced:
            with grounds.fence():
                grounds.look_outside()
        return 200, TAG, b"x"

    site = Site()
    site.answer = answer
    assert asked(site, {}, {}) == 1 + outside


@pytest.mark.parametrize(
    ("meta", "made"),
    [
        (Meta(TIP, daemon={"height": 9}, rates={"at": 1}), 1),
        (Meta(TIP, daemon={"height": 9}, rates={"at": 2}), 1),
        (Meta(TIP, daemon={"height": 8}), 1),
        (Meta(TIP, daemon={"height": 10}), 2),
        (Meta(TIP, daemon={"height": 9, "reachable": True}), 2),
        (Meta(NEXT, daemon={"height": 9}), 2),
    ],
)
@pytest.mark.parametrize("told", [False, True])
def test_a_page_is_kept_as_long_as_what_is_around_its_subject_is_the_same(meta: Meta, made: int, told: bool) -> None:
    site = Site()
    site.meta = Meta(TIP, daemon={"height": 9}, rates={"at": 1})

    def answer() -> tuple[int, str, bytes]:
        tip = site.meta.tip
        assert tip is not None
        grounds.rest_on(tip, {})
        if told:
            grounds.rest_on_all_told()
        grounds.rest_as_page(site.meta)
        return 200, '"of its content"', b"x"

    site.answer = answer
    asked(site, {})
    site.meta = meta
    kept_for_a_moment = {made, 2} if told and meta.rates.get("at") == 1 else {2} if told else {made}
    assert asked(site, {}) in kept_for_a_moment


@pytest.mark.parametrize(
    ("passed", "given", "made"),  # seconds since the answer's ages read otherwise, what is given, how often it was made
    [(-1, b"1", 1), (1, b"1", 2), (cache.LATE - 1, b"1", 2), (cache.LATE + 1, b"2", 2)],
)
def test_an_answer_whose_ages_have_passed_is_given_once_more_while_it_is_made_anew(
    passed: int, given: bytes, made: int
) -> None:
    async def ask() -> None:
        site = Site()

        def answer() -> tuple[int, str, bytes]:
            grounds.ages_at(time.time() - passed if site.made == 1 else time.time() + 60)
            return 200, TAG, b"%d" % site.made

        site.answer = answer
        await site.ask()
        assert set(await asyncio.gather(site.ask(), site.ask())) == {(200, given)}
        for _ in range(3):
            await asyncio.sleep(0)
        assert (site.made, await site.ask()) == (made, (200, b"%d" % made))

    asyncio.run(ask())


def test_an_answer_that_is_not_true_any_more_is_not_given_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    site, now = Site(), time.time()

    def answer() -> tuple[int, str, bytes]:
        grounds.rest_on_all_told()
        return 200, TAG, b"x"

    site.answer = answer
    for passed, made in ((0, 1), (0, 1), (1, 2), (9, 3)):
        monkeypatch.setattr(time, "time", lambda passed=passed: now + passed)
        assert asked(site, {}) == made


def test_an_answer_that_cannot_be_made_anew_is_told_in_the_log_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def ask() -> None:
        site = Site()

        def answer() -> tuple[int, str, bytes]:
            grounds.ages_at(time.time() - 1)
            if site.made > 1:
                raise ValueError("a fault")
            return 200, TAG, b"x"

        site.answer = answer
        for made in (1, 2, 3):
            assert await site.ask(path="/page") == (200, b"x")
            for _ in range(3):
                await asyncio.sleep(0)
            assert (site.made, len(caplog.records)) == (made, made - 1)
        assert "/page could not be made anew" in caplog.text

    asyncio.run(ask())


def test_a_page_of_two_tips_and_one_without_a_question_are_not_kept() -> None:
    for tips in ((TIP, NEXT), (NEXT,), ()):

        def answer(tips: tuple[Tip, ...] = tips) -> tuple[int, str, bytes]:
            for tip in tips:
                grounds.rest_on(tip, {})
            grounds.rest_as_page(Meta(TIP))
            return 200, '"of its content"', b"x"

        site = Site()
        site.answer, site.rests_on = answer, None
        assert asked(site, {}, {}) == 2


@pytest.mark.parametrize(
    "passed", [-7200, -5, -4, 0, 4, 5, 59, 60, 3599, 3600, 86_399, 86_400, 2_629_799, 2_629_800, 31_557_599, 4 * 10**7]
)
def test_an_age_reads_the_same_until_its_time_and_not_longer(passed: int) -> None:
    now, then = 2_000_000_000, 2_000_000_000 - passed
    until = formats.age_until(then, now)
    assert now < until
    assert formats.age(then, until - 1) == formats.age(then, now)
    assert passed < 0 or formats.age(then, until) != formats.age(then, now)
