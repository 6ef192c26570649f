"""The supply over all chains: sums of one moment only, caps that never pass silently, readings with their age."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from explorer.app import create_app
from explorer.parallel.chains import PACKAGED, ChainsFile, read_chains
from explorer.parallel.state import PARALLEL_READINGS, STATE_ID, fingerprint
from indexer.chain.address import decode_address
from indexer.chain.parallel import ParallelRule, all_chains_formula, formula_passing, growth_passing
from indexer.chain.params import COIN
from indexer.store.mongo import MongoStore
from indexer.store.setup import prepare
from tests import recorded
from tests.explorer.client import Client, settings
from tests.explorer.test_recorded_blocks import zatoshi
from tests.indexed import Index, chain, network

TIP, CUT = 420, 415
MINING_FROM, LAUNCH = 350, 380
NEVER = 1 << 52  # nobody asks the chains, or calls a reading old, while the tests look
CAP = 440_000_000 * COIN
MINERS = (recorded.blocks()[height]["block"]["tx"][0] for height in (410, 420))
FUSION = [coinbase["vout"][0]["scriptPubKey"]["addresses"][0] for coinbase in MINERS]
WALLETS = [(FUSION[0], "SWAP", "official"), (FUSION[1], "LOCKED", "third_party")]


class World:
    """An explorer of a short chain with ten parallel chains, whose readings the test writes."""

    def __init__(self, client: Client, store: MongoStore, file: ChainsFile) -> None:
        self.client, self.chains, self.store = client, file.chains, store
        self._revision = 100

    def write(
        self, *, minted: int = 0, cut: int | None = CUT, stale: bool = False, orphan: bool = False, **changed: Any
    ) -> None:
        """Fresh readings; ``minted`` more on the first chain, the cut at a height, and changes by key of the chain."""
        rows = {key: self._row(n, minted if n == 0 else 0) | changed.get(key, {}) for n, key in enumerate(self.keys)}
        self._revision += 1
        row = None if cut is None else {
            "height": cut, "hash": bytes(32) if orphan else bytes.fromhex(chain()[cut])[::-1], "time": 1_700_000_000,
            "outstanding": {key: self.outstanding(n) + (minted if n == 0 else 0) for n, key in enumerate(self.keys)},
        }  # fmt: skip
        state = {"revision": self._revision, "due": NEVER, "cut_stale": stale, "cut": row, "chains": rows}
        kept = {key: value for key, value in rows.items() if value.get("state") != "none"}
        self.store.database[PARALLEL_READINGS].replace_one({"_id": STATE_ID}, state | {"chains": kept}, upsert=True)
        for _ in range(2):  # a poll that was under way knows the readings before these
            self.client.run(self.client.services.db.poll())
            time.sleep(0.02)

    @property
    def keys(self) -> list[str]:
        """The keys of the chains."""
        return [parallel.key for parallel in self.chains]

    @staticmethod
    def outstanding(number: int) -> int:
        """What circulates on a chain, another amount on each."""
        return (1000 + number) * COIN + number

    @property
    def sum(self) -> int:
        """What circulates on all of them."""
        return sum(self.outstanding(number) for number in range(len(self.chains)))

    def check(self, name: str) -> Any:
        """One of the caps."""
        return next(c for c in self.client.json("/api/v1/supply/cap")["checks"] if c["name"] == name)

    def _row(self, number: int, minted: int) -> dict[str, Any]:
        parallel = self.chains[number]
        held = [0] * len(parallel.issuers)
        held[1] = parallel.minted - self.outstanding(number)
        return {
            "of": fingerprint(parallel), "minted": parallel.minted + minted, "held": held,
            "time": 1_700_000_000 + number, "block": 5000 + number, "state": "fresh", "reason": None,
            "due": NEVER, "failures": 0, "failed": 0, "rest": [],
        }  # fmt: skip


@pytest.fixture(scope="module")
def world(mongod: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The explorer, with two wallets of the bridge, one of them named by third parties only."""
    folder: Path = tmp_path_factory.mktemp("parallel")
    text = re.sub(r"endpoints = \[.*?\]", 'endpoints = ["http://127.0.0.1:9"]', PACKAGED.read_text(), flags=re.DOTALL)
    text = re.sub(r"launch_height = \d+", f"launch_height = {LAUNCH}", text)
    file, labels = folder / "chains.toml", folder / "labels.toml"
    file.write_text(re.sub(r"mining_from = \d+", f"mining_from = {MINING_FROM}", text))
    labels.write_text(
        "".join(
            f'[[addresses]]\naddress = "{address}"\nlabel = "{role}"\nrole = "{role}"\nfusion = true\n'
            f'confidence = "{confidence}"\nsource = "test"\n'
            for address, role, confidence in WALLETS
        )
    )
    name = "supply_parallel"
    store = MongoStore(mongod, name)
    prepare(store, network())
    Index(store).catch_up(chain()[: TIP + 1], 250)
    config = settings((mongod, name))
    config = replace(
        config,
        parallel=replace(config.parallel, chains_file=str(file), enabled=False, stale_seconds=float(NEVER)),
        explorer=replace(config.explorer, labels_file=str(labels)),
    )
    store.database[PARALLEL_READINGS].insert_one({"_id": STATE_ID, "revision": 0, "due": NEVER, "chains": {}})
    with Client(create_app(config)) as client:
        yield World(client, store, read_chains(file))
    store.database.client.drop_database(name)
    store.close()


RULE = ParallelRule(MINING_FROM, (LAUNCH,) * 10)


def fusion_at(world: World, height: int) -> int:
    """What the wallets of the bridge hold at a height, asked one by one."""
    bodies = [world.client.json(f"/api/v1/addresses/{address}?at={height}") for address in FUSION]
    return sum(zatoshi(body["balance"]) for body in bodies)


def test_the_sum_by_addresses_is_that_of_the_cut(world: World) -> None:
    world.write()
    body = world.client.json("/api/v1/supply")
    totals, fusion = body["totals"], body["native"]["fusion"]
    assert totals["cut"] == {"height": CUT, "hash": chain()[CUT], "time": 1_700_000_000, "stale": False}
    then = world.client.json(f"/api/v1/supply?at={CUT}")["native"]
    assert zatoshi(totals["parallel_outstanding"]) == world.sum
    assert zatoshi(totals["all_chains_addresses"]) == zatoshi(then["total"]) - fusion_at(world, CUT) + world.sum
    assert zatoshi(totals["all_chains_formula"]) == all_chains_formula(network(), RULE, TIP)
    assert zatoshi(fusion["held"]) == fusion_at(world, TIP) > fusion_at(world, CUT) > 0
    balances = {wallet["confidence"]: zatoshi(wallet["balance"]) for wallet in fusion["wallets"]}
    assert zatoshi(fusion["held"]) - zatoshi(fusion["held_without_third_party"]) == balances["third_party"]
    assert zatoshi(body["native"]["outside_fusion"]) == zatoshi(body["native"]["total"]) - zatoshi(fusion["held"])
    assert all(decode_address(wallet["address"], network()) for wallet in fusion["wallets"])


def test_a_chain_is_shown_as_it_was_read(world: World) -> None:
    world.write()
    shown = world.client.json("/api/v1/supply")["parallel"]
    assert [item["chain"] for item in shown] == world.keys
    for number, (item, parallel) in enumerate(zip(shown, world.chains, strict=True)):
        assert (item["name"], item["contract"], item["lifecycle"]) == (
            parallel.name, parallel.contract, parallel.lifecycle,
        )  # fmt: skip
        assert (item["state"], item["reason"]) == ("fresh", None)
        assert item["as_of"] == {"time": 1_700_000_000 + number, "block": 5000 + number}
        assert zatoshi(item["outstanding"]) == world.outstanding(number)
        assert zatoshi(item["minted"]) - zatoshi(item["issuer_held"]) == world.outstanding(number)
        assert sum(zatoshi(issuer["held"]) for issuer in item["issuers"]) == zatoshi(item["issuer_held"])


def test_all_caps_within(world: World) -> None:
    world.write()
    by_addresses, formula = world.check("whitepaper_440m_addresses"), world.check("whitepaper_440m_formula")
    totals = world.client.json("/api/v1/supply")["totals"]
    assert by_addresses["value"] == totals["all_chains_addresses"]
    assert formula["value"] == totals["all_chains_formula"]
    room = CAP - zatoshi(by_addresses["value"])
    assert zatoshi(by_addresses["headroom"]) == room
    assert by_addresses["crosses"]["height"] == growth_passing(network(), RULE, CUT, room)
    assert by_addresses["crosses_by_schedule"] is None
    assert formula["crosses"] == formula["crosses_by_schedule"]
    assert formula["crosses"]["height"] == formula_passing(network(), RULE, CAP)
    assert {check["state"] for check in world.client.json("/api/v1/supply/cap")["checks"]} == {"within"}


def test_an_unbacked_mint_exceeds_the_cap_by_addresses_alone(world: World) -> None:
    world.write()
    before = zatoshi(world.check("whitepaper_440m_addresses")["value"])
    world.write(minted=CAP - before)
    exact = world.check("whitepaper_440m_addresses")
    assert (exact["state"], zatoshi(exact["headroom"])) == ("within", 0)
    assert exact["crosses"]["height"] == CUT + 1
    world.write(minted=CAP - before + 1)
    check = world.check("whitepaper_440m_addresses")
    assert (check["state"], check["missing"], zatoshi(check["headroom"])) == ("exceeded", [], -1)
    assert check["crosses"] is None
    others = ("whitepaper_440m_formula", "native_440m", "announced_560m", "max_money")
    assert {world.check(name)["state"] for name in others} == {"within"}


STALE = {"state": "stale", "reason": "no answer\r\nfrom 127.0.0.1"}


@pytest.mark.parametrize(
    ("readings", "missing", "total_is_known", "formula"),
    [
        ({"kda": STALE}, ["kda"], True, "within"),
        ({"kda": STALE, "eth": STALE}, ["eth", "kda"], True, "within"),
        ({"kda": STALE, "stale": True}, ["kda"], False, "within"),
        ({"stale": True}, ["cut"], False, "within"),
        ({"cut": None}, ["cut"], False, "within"),
        ({"orphan": True}, ["cut"], False, "within"),
        ({"cut": TIP + 1}, ["cut"], False, "within"),
        ({"erg": {"state": "none"}}, ["erg"], False, "within"),
        ({"minted": CAP, "kda": STALE}, ["kda"], True, "within"),
    ],
    ids=str,
)
def test_a_missing_or_stale_input_makes_the_check_unknown_and_is_named(
    world: World, readings: dict[str, Any], missing: list[str], total_is_known: bool, formula: str
) -> None:
    world.write(**readings)
    check = world.check("whitepaper_440m_addresses")
    assert (check["state"], check["missing"]) == ("unknown", missing)
    assert [check[name] for name in ("value", "headroom", "crosses", "crosses_by_schedule")] == [None] * 4
    assert check["explanation"].endswith(f"it lacks {', '.join(missing)}.")
    totals = world.client.json("/api/v1/supply")["totals"]
    assert (totals["all_chains_addresses"] is not None) == total_is_known
    assert (totals["parallel_outstanding"] is not None) == total_is_known
    assert world.check("whitepaper_440m_formula")["state"] == formula
    world.write()
    assert world.check("whitepaper_440m_addresses")["state"] == "within"


def test_without_wallets_of_the_bridge_the_sum_by_addresses_is_unknown(world: World) -> None:
    from explorer.queries.caps import caps

    world.write()
    check = world.client.run(world.client.services.db.fenced(caps)).value.checks[1]
    assert (check.state, check.missing) == ("unknown", ("fusion_wallets",))


def test_the_last_good_reading_is_shown_with_its_age_and_the_reason(world: World) -> None:
    world.write(kda=STALE, erg={"state": "none"})
    shown = {item["chain"]: item for item in world.client.json("/api/v1/supply")["parallel"]}
    number = world.keys.index("kda")
    assert (shown["kda"]["state"], shown["kda"]["reason"]) == ("stale", STALE["reason"])
    assert zatoshi(shown["kda"]["outstanding"]) == world.outstanding(number)
    assert shown["kda"]["as_of"] == {"time": 1_700_000_000 + number, "block": 5000 + number}
    assert shown["erg"]["state"] == "unavailable"
    assert [shown["erg"][name] for name in ("minted", "issuer_held", "outstanding", "as_of")] == [None] * 4
    assert {issuer["held"] for issuer in shown["erg"]["issuers"]} == {None}


def test_numbers_for_trackers(world: World) -> None:
    world.write(kda=STALE, erg={"state": "none"})
    get = world.client.get
    assert get("/api/v1/supply/circulating.txt").text == world.client.json("/api/v1/supply")["totals"][
        "all_chains_formula"
    ]  # fmt: skip
    before = get(f"/api/v1/supply/circulating.txt?at={MINING_FROM - 1}")
    assert (before.status_code, before.json()["error"]["code"]) == (404, "not_found")
    assert get(f"/api/v1/supply/circulating.txt?at={MINING_FROM}").status_code == 200
    stale = get("/api/v1/supply/parallel/kda.txt?decimals=0")
    number = world.keys.index("kda")
    assert (stale.text, stale.headers["x-flux-state"]) == (str(1000 + number), "stale")
    assert stale.headers["x-flux-as-of"] == str(1_700_000_000 + number)
    assert "no answer??from 127.0.0.1" in stale.headers["x-flux-explanation"]
    never = get("/api/v1/supply/parallel/erg.txt")
    assert (never.status_code, never.json()["error"]["code"]) == (503, "upstream_unavailable")
    unknown = get("/api/v1/supply/parallel/doge.txt")
    assert (unknown.status_code, "eth, bsc" in unknown.json()["error"]["message"]) == (404, True)


def test_the_sum_over_the_parallel_chains_as_a_number(world: World) -> None:
    url = "/api/v1/supply/outstanding-parallel.txt"
    world.write()
    assert zatoshi(world.client.get(url).text) == world.sum
    world.write(stale=True, kda=STALE)
    response = world.client.get(url)
    assert (response.status_code, "kda" in response.json()["error"]["message"]) == (503, True)
    past = world.client.get(f"{url}?at={CUT}")
    assert (past.status_code, past.json()["error"]["code"]) == (404, "not_found")


def test_nothing_but_the_formula_is_known_of_parallel_chains_in_the_past(world: World) -> None:
    world.write()
    body = world.client.json(f"/api/v1/supply?at={CUT}")
    assert {item["outstanding"] for item in body["parallel"]} == {None}
    assert {item["state"] for item in body["parallel"]} == {"unavailable"}
    assert [body["totals"][name] for name in ("parallel_outstanding", "all_chains_addresses", "cut")] == [None] * 3
    assert zatoshi(body["totals"]["all_chains_formula"]) == all_chains_formula(network(), RULE, CUT)
    assert world.client.json(f"/api/v1/supply?at={MINING_FROM - 1}")["totals"]["all_chains_formula"] is None


def test_an_answer_changes_its_tag_with_the_readings(world: World) -> None:
    for url in ("/api/v1/supply", "/api/v1/supply/cap", "/api/v1/supply/outstanding-parallel.txt"):
        world.write()
        first = world.client.get(url)
        assert world.client.get(url, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
        world.write(minted=5 * COIN)
        second = world.client.get(url, headers={"If-None-Match": first.headers["etag"]})
        assert second.status_code == 200
        assert second.text != first.text


def test_history_has_the_formula_since_the_first_chain(world: World) -> None:
    for point in world.client.json("/api/v1/supply/history?points=1000")["points"]:
        expected = all_chains_formula(network(), RULE, point["height"])
        assert point["formula"] == (None if expected is None else f"{expected // COIN}.{expected % COIN:08d}")
