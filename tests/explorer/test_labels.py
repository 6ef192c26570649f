"""Names of addresses: the packaged file, files of one's own, and where the names are shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from explorer.app import create_app
from explorer.labels import MAIN_FILE, NO_LABELS, Labels, load_labels
from indexer.chain.address import decode_address
from indexer.chain.networks import named_network
from indexer.errors import ConfigError
from tests import recorded
from tests.explorer.client import Client, settings
from tests.indexed import network

MAIN = named_network("main")
ADDRESS = next(row["address"] for row in recorded.addresses() if row["utxos"])
NAMED = f"""
[[addresses]]
address = "{ADDRESS}"
label = "The <b>big</b> Wallet"
role = "SWAP"
fusion = true
confidence = "official"
source = "this test"
"""


def labels_of(text: str, folder: Path) -> Labels:
    """The labels of a file with this text, for the recorded chain."""
    path = folder / "labels.toml"
    path.write_text(text)
    return load_labels(network(), str(path))


def test_the_packaged_file_names_the_funds_and_the_wallets_of_fusion() -> None:
    labels = load_labels(MAIN, "")
    for fund in (MAIN.funds.exchange.address, MAIN.funds.foundation.address, MAIN.funds.dev_fund_address):
        label = labels.of(fund)
        assert label is not None
        assert label.confidence == "consensus"
    assert labels.fusion[0].key == MAIN.funds.swap_pool.address
    assert [(w.role, w.confidence) for w in labels.fusion] == [
        ("LOCKED", "consensus"), ("SWAP", "official"), ("MINING", "official"), ("COLD", "official"),
        ("MINING", "official"), ("SWAP", "official"), ("COLD", "official"), ("SNAPSHOT", "official"),
        ("LOCKED", "third_party"), ("LOCKED", "third_party"),
    ]  # fmt: skip


def test_an_address_is_found_by_key_and_by_text_and_by_a_part_of_its_name() -> None:
    labels = load_labels(MAIN, "")
    label = labels.of_address("t1abAp9oZenibGLFuZKyUjmL6FiATTaCYaj")
    assert label is not None
    assert labels.of(decode_address(label.address, MAIN)) is label
    assert label in labels.named("SWAP WALLET")
    assert labels.of(bytes(21)) is None
    assert labels.named("no such name") == ()


def test_other_networks_have_none_unless_a_file_is_set(tmp_path: Path) -> None:
    assert load_labels(named_network("test"), "") is NO_LABELS
    assert labels_of(NAMED, tmp_path).fusion[0].address == ADDRESS
    assert labels_of("", tmp_path).fusion == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((f'"{ADDRESS}"', '"t1abAp9oZenibGLFuZKyUjmL6FiATTaCYaj"'), "number 1: "),
        (('label = "The <b>big</b> Wallet"', ""), "label is missing"),
        (('label = "The <b>big</b> Wallet"', "label = 7"), "label is 7: expected one of address (text)"),
        (('"official"', '"rumour"'), "confidence is 'rumour': expected consensus, official, third_party"),
        (('role = "SWAP"', ""), "needs its role"),
        (("fusion = true", "fusions = true"), "fusions is True"),
        (("[[addresses]]", "[addresses]"), "expected nothing but tables [[addresses]]"),
        (("source =", "source"), "is no TOML"),
        (("\n[[addresses]]", NAMED + "\n[[addresses]]"), "has been named before"),
    ],
)
def test_a_wrong_file_is_refused_in_words(change: tuple[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        labels_of(NAMED.replace(*change, 1), tmp_path)
    assert said in str(caught.value)
    assert "labels.toml" in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_labels(MAIN, str(tmp_path / "labels.toml"))
    assert MAIN_FILE.is_file()


@pytest.fixture(scope="module")
def named(recorded_index: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """An explorer of the recorded chain that knows a name."""
    path = tmp_path_factory.mktemp("labels") / "labels.toml"
    path.write_text(NAMED)
    config = settings(recorded_index)
    config = replace(config, explorer=replace(config.explorer, labels_file=str(path)))
    with Client(create_app(config)) as client:
        yield client


def test_the_api_tells_the_name(named: Client, client: Client) -> None:
    assert named.json(f"/api/v1/addresses/{ADDRESS}")["label"] == "The <b>big</b> Wallet"
    assert client.json(f"/api/v1/addresses/{ADDRESS}")["label"] is None


@pytest.mark.parametrize("text", ["big", "the <b>big</b> wallet", "WALLET"])
def test_search_finds_an_address_by_its_name(named: Client, text: str) -> None:
    found = named.get("/api/v1/search", params={"q": text}).json()
    assert [hit["url"] for hit in found["items"]] == [f"/address/{ADDRESS}"]
    assert named.get("/search", params={"q": text}).headers["location"] == f"/address/{ADDRESS}"


@pytest.mark.parametrize("text", ["bi", "bigger"])
def test_search_finds_nothing_by_what_is_no_name(named: Client, text: str) -> None:
    assert named.get("/api/v1/search", params={"q": text}).json()["items"] == []


def test_pages_show_the_name_beside_the_address(named: Client) -> None:
    page = named.get(f"/address/{ADDRESS}").text
    assert "The &lt;b&gt;big&lt;/b&gt; Wallet" in page
    assert "Named by its owner (this test)" in page
    txid = named.json(f"/api/v1/addresses/{ADDRESS}/transactions")["items"][0]["txid"]
    assert "The &lt;b&gt;big&lt;/b&gt; Wallet" in named.get(f"/tx/{txid}").text
