"""Webhooks: everything arrives at least once, has its effect once, whoever dies, and goes nowhere else."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import closing
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from explorer.app import create_app
from explorer.webhooks import post, sender
from explorer.webhooks.book import Book
from explorer.webhooks.hooks import EVENTS, Webhook, load_hooks
from explorer.webhooks.post import Post, Undelivered, is_public
from explorer.webhooks.sender import Sender, pause_after, places_now
from indexer.chain.keys import eventkey, eventkey_height, outpoint_text, txkey, txkey_height
from indexer.errors import ConfigError
from indexer.store.codec import EVENTS as CODES
from indexer.store.setup import prepare
from tests import recorded
from tests.explorer.client import Client, settings
from tests.explorer.receiver import SECRET, Receiver
from tests.explorer.reorganising import LOWEST, Chain, MortalStore, paid
from tests.explorer.test_credits import Readers
from tests.indexed import network

TIMEOUT = 0.3
WAYS = ("fault", "busy", "moved", "gone", "drop", "forget", "hang")
ADDRESS = "t2GoxS2SRmLQDnTyWePHjKD3izvFsKUAjrH"
NODE = "939331a90701ce08fd9d7619f728ab3bddb28279b1ca851f0ad471504b6733e2:0"


@pytest.fixture
def moving(mongod: str, database_name: str) -> Iterator[tuple[Chain, Client]]:
    """A chain that goes back and forth in a real database, and an explorer of it."""
    store = MortalStore(mongod, database_name)
    prepare(store, network())
    with closing(store), Client(create_app(settings((mongod, database_name)))) as client:
        yield Chain(store, 11), client


def nodes_of(world: Chain) -> dict[int, str]:
    """The outpoint of every node that the chain knows, by its id."""
    return {row["_id"]: outpoint_text(bytes(row["outpoint"])) for row in world.store.scan("nodes")}


def lives(world: Chain, nodes: frozenset[str]) -> set[tuple[int, str, str]]:
    """What happened to nodes above the lowest fork, from the stored rows: height, node, event."""
    names, low = nodes_of(world), LOWEST + 1
    starts = world.store.scan("node_starts", txkey(low, 0), txkey(1 << 20, 0))
    befell = world.store.scan("node_events", eventkey(low, 0), eventkey(1 << 20, 0))
    found = {(txkey_height(row["_id"]), names[row["node"]], "start") for row in starts}
    found |= {(eventkey_height(r["_id"]), names[r["node"]], CODES[r["event"]].value) for r in befell}
    for row in world.store.scan("payouts", low, 1 << 20):
        found |= {(row["_id"], names[node], "payout") for node in row["nodes"]}
    return {life for life in found if life[1] in nodes}


def has_seen_tip(world: Chain, client: Client) -> bool:
    """Whether the last poll of the explorer found the tip of now."""
    tip = client.services.db.meta.tip
    return tip is not None and (tip.height, tip.reorgs) == (world.index.tip["height"], world.index.tip["reorgs"])


def told_all(world: Chain, client: Client) -> bool:
    """Whether the notifier has told everything up to the tip."""
    row = client.run(client.services.db.find_one("webhooks", {"_id": "all"}, ()))
    if row is None or "pending" in row or not has_seen_tip(world, client):
        return False
    return (row["credit"], row["life"]) == client.run(client.services.db.fenced(places_now)).value


def wait_for(done: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def begin(
    world: Chain, client: Client, receiver: Receiver, addresses: Collection[str], nodes: frozenset[str]
) -> None:
    """Let the receiver know what happened before it was told anything."""
    wait_for(lambda: has_seen_tip(world, client))
    receiver.ledger.booked = dict.fromkeys(world.outputs(addresses, 1), "before")
    receiver.ledger.lives = lives(world, nodes)


def agree(world: Chain, receiver: Receiver, addresses: Collection[str], nodes: frozenset[str]) -> None:
    """What the receiver made of the deliveries is what the chain says now."""
    assert receiver.wrong == []
    assert receiver.ledger.booked.keys() == world.outputs(addresses, 1).keys()
    assert receiver.ledger.lives == lives(world, nodes)


def go_on(
    moving: tuple[Chain, Client],
    monkeypatch: pytest.MonkeyPatch,
    *,
    reorgs: int,
    kills: int,
    part: int,
    chance: float,
    readers: Readers | None = None,
) -> Receiver:
    """Reorganise so often, killing notifier and index now and then; the deliveries end exact."""
    monkeypatch.setattr(sender, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(sender, "pause_after", lambda attempts: 0.005)
    world, client = moving
    addresses, nodes = sorted(paid())[::part], frozenset(sorted(nodes_of(world).values())[::part])
    drawn = random.Random(5)
    deaths = set(drawn.sample(range(reorgs), kills))
    losses = set(drawn.sample(range(reorgs), kills // 4))
    with Receiver(chance=chance, ways=WAYS) as receiver:
        hook = Webhook("all", receiver.url, SECRET, tuple(addresses), nodes, EVENTS - {"update"}, 1)
        begin(world, client, receiver, addresses, nodes)
        delivering = Post(TIMEOUT, True, time.time)

        async def start() -> asyncio.Task[None]:
            db = client.services.db
            return asyncio.create_task(Sender(db, hook, Book(db, 60.0), delivering).run())

        async def kill(task: asyncio.Task[None]) -> None:
            monkeypatch.setattr(Book, "release", lambda *_: asyncio.sleep(0))
            task.cancel()
            await asyncio.wait((task,))

        task = client.run(start())
        wait_for(lambda: client.run(client.services.db.find_one("webhooks", {"_id": "all"}, ())) is not None)
        for n in range(reorgs):
            world.step(mortal=n in losses)
            if readers is None:
                time.sleep(drawn.random() * 0.1)
            else:
                readers.look()
            if n in deaths:
                client.run(kill(task))
                task = client.run(start())
        world.grow()
        receiver.chance = 0.02
        wait_for(lambda: told_all(world, client))
        client.run(kill(task))
        client.run(delivering.close())
        agree(world, receiver, addresses, nodes)
    return receiver


def test_every_delivery_has_its_effect_once_whatever_chain_receiver_and_notifier_do(
    moving: tuple[Chain, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = go_on(moving, monkeypatch, reorgs=5, kills=4, part=2, chance=0.2)
    assert {"credit", "reversal", "reorg", "payout"} <= {_event(body) for _, body in receiver.requests}


@pytest.mark.slow
def test_two_hundred_reorganisations_and_fifty_kills(
    moving: tuple[Chain, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, client = moving
    wait_for(lambda: has_seen_tip(world, client))
    readers = Readers(client, 200)
    receiver = go_on(moving, monkeypatch, reorgs=200, kills=50, part=8, chance=0.03, readers=readers)
    assert receiver.ledger.doubles > 0
    readers.agree(world, 200)


def _event(body: bytes) -> str:
    return body.partition(b'"event":"')[2].partition(b'"')[0].decode()


@pytest.mark.slow
def test_killed_notifiers(moving: tuple[Chain, Client], mongod: str, database_name: str, tmp_path: Path) -> None:
    world, client = moving
    nodes = frozenset(nodes_of(world).values())
    chance = random.Random(6)
    with Receiver(chance=0.05, ways=("fault", "drop", "forget")) as receiver:
        file = tmp_path / "webhooks.toml"
        file.write_text(
            f'[[webhook]]\nname = "all"\nurl = "{receiver.url}"\nsecret = "{SECRET}"\n'
            f"addresses = {sorted(paid())!r}\nnodes = {sorted(nodes)!r}\n"
        )
        environ = os.environ | {
            "FLUX_NETWORK_PARAMS_FILE": str(recorded.NETWORK_FILE),
            "FLUX_DATABASE_URI": mongod,
            "FLUX_DATABASE_NAME": database_name,
            "FLUX_WEBHOOKS_FILE": str(file),
            "FLUX_WEBHOOKS_ALLOW_PRIVATE": "1",
            "FLUX_WEBHOOKS_TIMEOUT_SECONDS": "2",
        }

        def start() -> subprocess.Popen[str]:
            command = [sys.executable, "-m", "indexer.cli", "notify"]
            child = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)
            assert child.stdout is not None and child.stdout.readline() == "telling 1 webhooks\n"
            return child

        begin(world, client, receiver, paid(), nodes)
        child = start()
        wait_for(lambda: client.run(client.services.db.find_one("webhooks", {"_id": "all"}, ())) is not None)
        for _ in range(5):
            world.step()
            time.sleep(chance.random() * 0.5)
            child.kill()
            child.communicate()
            child = start()
        receiver.chance = 0.0
        wait_for(lambda: told_all(world, client))
        child.send_signal(signal.SIGTERM)
        child.communicate()
        assert child.returncode == 0
        agree(world, receiver, paid(), nodes)


@pytest.mark.parametrize("way", [*WAYS, "accepted", "closed"])
def test_what_an_attempt_comes_to(way: str) -> None:
    with Receiver(chance=1.0, ways=(way,) if way != "closed" else ("ok",)) as receiver:
        url = receiver.url if way != "closed" else "http://127.0.0.1:9/"
        hook = Webhook("w", url, SECRET, (ADDRESS,), frozenset(), EVENTS, 1)
        problem = asyncio.run(_attempt(hook))
    reasons = {
        "accepted": None, "fault": "HTTP 500", "busy": "HTTP 429", "gone": "HTTP 410", "moved": "redirect",
        "drop": "RemoteProtocolError", "forget": "RemoteProtocolError", "hang": "within 0.3 seconds",
        "closed": "ConnectError",
    }  # fmt: skip
    assert (problem is None) == (reasons[way] is None)
    assert reasons[way] is None or str(reasons[way]) in str(problem)
    assert SECRET not in str(problem)
    assert not any(b"elsewhere" in body for _, body in receiver.requests)


async def _attempt(hook: Webhook, *, allow_private: bool = True) -> Undelivered | None:
    delivering = Post(TIMEOUT, allow_private, time.time)
    try:
        await delivering.deliver(hook, "0", b'{"seq":"0","event":"reorg","reorg":{"fork_height":0}}')
    except Undelivered as error:
        return error
    finally:
        await delivering.close()
    return None


@pytest.mark.parametrize(
    "found",
    [["93.184.216.34", "10.0.0.1"], ["127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["169.254.169.254"], []],
)
def test_names_that_lead_to_private_networks_get_nothing(found: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "_addresses", _standing_for(found))
    with Receiver() as receiver:
        hook = Webhook("w", receiver.url, SECRET, (ADDRESS,), frozenset(), EVENTS, 1)
        problem = asyncio.run(_attempt(hook, allow_private=False))
    assert ("allow_private" if found else "no address") in str(problem)
    assert receiver.requests == []


def test_the_connection_goes_to_the_address_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "_addresses", _standing_for(["127.0.0.1"]))
    with Receiver() as receiver:
        url = receiver.url.replace("127.0.0.1", "name.example")
        hook = Webhook("w", url, SECRET, (ADDRESS,), frozenset(), EVENTS, 1)
        assert asyncio.run(_attempt(hook)) is None
        ((headers, _),) = receiver.requests
    assert headers["host"] == url.split("/")[2]
    assert (headers["flux-webhook"], headers["content-type"]) == ("w", "application/json")


def _standing_for(found: list[str]) -> Callable[[str, int], Awaitable[list[Any]]]:
    async def addresses(name: str, port: int) -> list[Any]:
        return [ip_address(text) for text in found]

    return addresses


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("8.8.8.8", True), ("2606:4700::1111", True), ("127.0.0.1", False), ("10.1.2.3", False), ("172.16.0.1", False),
        ("192.168.1.1", False), ("100.64.0.1", False), ("169.254.0.1", False), ("0.0.0.0", False), ("224.0.0.1", False),
        ("255.255.255.255", False), ("::", False), ("::1", False), ("fe80::1", False), ("fc00::1", False),
        ("::ffff:10.0.0.1", False), ("::ffff:8.8.8.8", True), ("64:ff9b::a00:1", False), ("2002:a00:1::", False),
        ("2001:0:1::", False), ("ff02::1", False), ("198.18.0.1", False), ("240.0.0.1", False),
    ],
)  # fmt: skip
def test_which_addresses_are_public(text: str, public: bool) -> None:
    assert is_public(ip_address(text)) == public


GOOD = f'name = "a"\nurl = "https://x.example/"\nsecret = "{SECRET}"\naddresses = ["{ADDRESS}"]\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", r"\[\[webhook\]\]"),
        ("[[webhook]]\n" + GOOD + "[other]\n", r"nothing else"),
        ("[[webhook]]\n" + GOOD + "[[webhook]]\n" + GOOD, "two webhooks are named 'a'"),
        ("[[webhook]]\n" + GOOD + "colour = 1\n", "unknown key colour"),
        ("[[webhook]]\n" + GOOD.replace(SECRET, "short"), "at least 16"),
        ("[[webhook]]\n" + GOOD.replace("https", "http"), "expected https"),
        ("[[webhook]]\n" + GOOD.replace("https://", "https://u:p@"), "without a login"),
        ("[[webhook]]\n" + GOOD.replace("x.example", "x.example:99999"), "the url is none"),
        ("[[webhook]]\n" + GOOD.replace(ADDRESS, ADDRESS[:-1] + "G"), "checksum"),
        ("[[webhook]]\n" + GOOD.replace(f'["{ADDRESS}"]', "[]"), "of what should it be told"),
        ("[[webhook]]\n" + GOOD + 'nodes = ["x"]\n', "is no node"),
        ("[[webhook]]\n" + GOOD + 'events = ["birth"]\n', "no event 'birth'"),
        ("[[webhook]]\n" + GOOD + "min_confirmations = 0\n", "min_confirmations is 0"),
        ("[[webhook]]\nname = 5\n", "name: expected a text"),
        ("[[webhook", "no TOML"),
    ],
)
def test_a_file_that_is_not_understood_is_refused_without_telling_its_secrets(
    text: str, words: str, tmp_path: Path
) -> None:
    file = tmp_path / "webhooks.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=words) as refused:
        load_hooks(str(file), network(), False)
    assert SECRET not in str(refused.value) and "u:p" not in str(refused.value)


def test_a_file_of_webhooks(tmp_path: Path) -> None:
    file = tmp_path / "webhooks.toml"
    file.write_text("[[webhook]]\n" + GOOD.replace("https", "http") + f'nodes = ["{NODE}"]\nevents = ["payout"]\n')
    (hook,) = load_hooks(str(file), network(), True)
    assert (hook.addresses, hook.nodes, hook.events) == ((ADDRESS,), frozenset((NODE,)), frozenset(("payout",)))
    assert SECRET not in repr(hook)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_hooks(str(tmp_path / "absent"), network(), False)


def test_pauses_grow_to_an_hour() -> None:
    assert [pause_after(n, lambda: 0.0) for n in (1, 2, 3, 12, 13, 500)] == [1, 2, 4, 2048, 3600, 3600]
    assert 2700 <= pause_after(50) <= 3600
