"""ERC-20 tokens are read from a real EVM: figures, one moment, and what a node may answer instead."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, permutations
from typing import Any

import pytest

from explorer.parallel.ask import Failed
from explorer.parallel.evm import BALANCE_OF, DECIMALS, TOTAL_SUPPLY, balance_of
from tests.explorer.parallel.chain import at, issuers, read
from tests.explorer.parallel.evm_node import EvmNode, selector
from tests.explorer.parallel.servers import Asked, Server, serving

COIN = 10**8
MINTED = 440_000_000 * COIN


@pytest.fixture(scope="module")
def node() -> EvmNode:
    """A chain on which the issuer has paid some of 440 million out."""
    node = EvmNode(MINTED)
    issuer, swap, *_ = node.accounts
    node.transfer(issuer, swap, 40_000_000 * COIN)
    node.transfer(swap, node.accounts[8], 1_234_567 * COIN + 89)
    return node


@pytest.fixture
def server(node: EvmNode) -> Iterator[Server]:
    """The node behind HTTP."""
    with serving(node.answer) as running:
        yield running


def chain(node: EvmNode, url: str, **more: Any) -> Any:
    """The token of a node, with six of its accounts as the issuer's."""
    return at("eth", url, contract=node.contract, issuers=issuers(node.accounts[:6]), **more)


def test_selectors_are_those_of_the_standard() -> None:
    named = {"totalSupply()": TOTAL_SUPPLY, "decimals()": DECIMALS, "balanceOf(address)": BALANCE_OF}
    assert {signature: selector(signature) for signature in named} == named
    assert balance_of("0x5A2387883bc5e875e09d533eef812b2da30f2615") == (
        "0x70a082310000000000000000000000005a2387883bc5e875e09d533eef812b2da30f2615"
    )


def test_a_reading_is_what_the_contract_says(node: EvmNode, server: Server) -> None:
    found = read(chain(node, server.url))
    paid_out = 1_234_567 * COIN + 89
    assert found.minted == MINTED
    assert found.held == (400_000_000 * COIN, 40_000_000 * COIN - paid_out, 0, 0, 0, 0)
    assert found.outstanding == paid_out
    assert found.block == node.newest


def test_an_unbacked_mint_is_seen(server: Server, node: EvmNode) -> None:
    before = read(chain(node, server.url))
    node.mint(node.accounts[9], 5 * COIN)
    after = read(chain(node, server.url))
    assert (after.minted - before.minted, after.outstanding - before.outstanding) == (5 * COIN, 5 * COIN)


def test_two_requests_suffice_whatever_the_number_of_addresses(node: EvmNode, server: Server) -> None:
    read(chain(node, server.url))
    assert [len(asked.body) if isinstance(asked.body, list) else 1 for asked in server.asked] == [1, 8]


def test_all_of_a_reading_is_of_one_block_while_coins_move(node: EvmNode, server: Server) -> None:
    """Coins go to and fro between two issuer addresses, a block after every call: never do they leave the issuer."""
    before, newest = read(chain(node, server.url)), node.newest
    pairs = cycle(permutations((node.accounts[0], node.accounts[2])))

    def move() -> None:
        sender, receiver = next(pairs)
        node.transfer(sender, receiver, 100 * COIN)

    node.between = move
    try:
        readings = [read(chain(node, server.url)) for _ in range(2)]
    finally:
        node.between = lambda: None
    assert [found.outstanding for found in readings] == [before.outstanding] * 2
    assert len({found.held for found in readings}) == 2
    assert node.newest > newest + 10


def test_confirmations_read_below_the_newest_block(node: EvmNode, server: Server) -> None:
    before = read(chain(node, server.url))
    node.transfer(node.accounts[0], node.accounts[7], COIN)
    assert read(chain(node, server.url, confirmations=1)).outstanding == before.outstanding
    assert read(chain(node, server.url)).outstanding == before.outstanding + COIN


def test_a_balancer_may_ask_a_node_that_lacks_the_newest_block(node: EvmNode, server: Server) -> None:
    node.lag = 1
    assert read(chain(node, server.url)).block == node.newest
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"decimals": 18}, r"the token has 8 decimals, the settings say 18"),
        ({"contract": "0x" + "11" * 20}, r"there is no such contract"),
        ({"contract": "0x" + "00" * 19 + "02"}, r"eth_call gave|more than|decimals"),  # SHA-256, a precompiled one
    ],
)
def test_what_is_not_the_token_is_refused(
    node: EvmNode, server: Server, more: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(Failed, match=complaint):
        read(at("eth", server.url, **{"contract": node.contract, "issuers": issuers(node.accounts[:6]), **more}))


@pytest.mark.parametrize(("decimals", "units"), [(18, 10**10), (6, 1)])
def test_amounts_are_zatoshi_whatever_the_decimals(decimals: int, units: int) -> None:
    node = EvmNode(1000 * 10**decimals, decimals)
    node.transfer(node.accounts[0], node.accounts[9], 3 * 10**decimals + units)
    with serving(node.answer) as server:
        found = read(chain(node, server.url, decimals=decimals))
    assert found.minted == 1000 * COIN
    assert found.outstanding == 3 * COIN + (1 if decimals == 18 else 100)


WORD = "0x" + f"{COIN:064x}"


def scripted(supply: Any, balance: Any = WORD, decimals: Any = "0x" + f"{8:064x}") -> Any:
    """A node that says what a test wants."""

    def answer(asked: Asked) -> Any:
        if not isinstance(asked.body, list):
            return {"jsonrpc": "2.0", "id": 0, "result": "0x10"}
        said = {TOTAL_SUPPLY: supply, DECIMALS: decimals}
        return [
            {"jsonrpc": "2.0", "id": call["id"], "result": said.get(call["params"][0]["data"], balance)}
            for call in asked.body
        ]

    return answer


@pytest.mark.parametrize(
    ("behaviour", "complaint"),
    [
        (scripted("0x" + "f" * 64), r"minted total is 1157.*: more than can be"),
        (scripted("0x" + f"{2**63:064x}"), r"more than can be"),
        (scripted(WORD, "0x" + f"{COIN:064x}"), r"the issuer holds 600000000 zatoshi of 100000000 minted"),
        (scripted("0x-1"), r"a word of 32 bytes is expected"),
        (scripted("-0x" + "1" * 63), r"a word of 32 bytes is expected"),
        (scripted("0x" + "1" * 63 + "_"), r"hex digits are expected"),
        (scripted("0x1"), r"a word of 32 bytes is expected"),
        (scripted(True), r"a word of 32 bytes is expected"),
        (scripted(1.5), r"a word of 32 bytes is expected"),
        (scripted(None), r"a word of 32 bytes is expected"),
        (scripted({"a": 1}), r"a word of 32 bytes is expected"),
        (lambda asked: {"jsonrpc": "2.0", "id": 0, "result": -1}, r"block number is -1: hex digits"),
        (lambda asked: {"jsonrpc": "2.0", "id": 0}, r"no result"),
        (lambda asked: [1, 2], r"no JSON-RPC reply"),
        (lambda asked: 7, r"no JSON-RPC reply"),
        (lambda asked: {"error": {"code": -32000, "message": "no trie node"}}, r"declined eth_blockNumber: no trie"),
        (lambda asked: {"error": {"code": -32005, "message": "limit"}}, r"asks to be asked less often"),
        (lambda asked: {"error": "no"}, r"refused eth_blockNumber without a code"),
    ],
)
def test_absurd_answers_are_refused_in_words(behaviour: Any, complaint: str) -> None:
    with serving(behaviour) as server, pytest.raises(Failed, match=complaint):
        read(at("eth", server.url, issuers=issuers([f"0x{n:040x}" for n in range(1, 7)])))


def batch(change: Any) -> Any:
    """A node whose replies to a batch a test changes."""
    honest = scripted(WORD, "0x" + "0" * 64)

    def answer(asked: Asked) -> Any:
        found = honest(asked)
        return change(found) if isinstance(found, list) else found

    return answer


@pytest.mark.parametrize(
    "change",
    [
        lambda replies: replies[:-1],
        lambda replies: [*replies, replies[0]],
        lambda replies: [replies[0]] * len(replies),
        lambda replies: [{**reply, "id": str(reply["id"])} for reply in replies],
        lambda replies: [{**reply, "id": True} for reply in replies],
        lambda replies: [[] for _ in replies],
        lambda replies: {"jsonrpc": "2.0", "id": 0, "result": "0x1"},
    ],
)
def test_a_batch_that_does_not_fit_is_refused(change: Any) -> None:
    with serving(batch(change)) as server, pytest.raises(Failed, match=r"answered"):
        read(at("eth", server.url))


def test_a_key_in_the_url_is_never_told() -> None:
    key = "0123456789abcdefsecret"
    said = {"error": {"code": -32000, "message": f"project {key} is over its limit"}}
    with serving(lambda asked: said) as server:
        chain = at("eth", f"http://user:{key}@127.0.0.1:{server.port}/v3/{key}?apikey={key}")
        assert key not in repr(chain)
        with pytest.raises(Failed) as failed:
            read(chain)
    assert key not in str(failed.value)
    assert f"127.0.0.1:{server.port} declined" in str(failed.value)
