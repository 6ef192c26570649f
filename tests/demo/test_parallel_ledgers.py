"""The parallel chains of the demo network follow from its blocks, and every coin on them is backed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from indexer.chain.params import COIN
from indexer.demo.builder import FIRST_BLOCKS, Builder
from indexer.demo.chain import DemoChain, load
from indexer.demo.files import FILE_NAME, BlockFile
from indexer.demo.fusion import EXAMPLE_AMOUNT, EXAMPLE_DELAY
from indexer.demo.network import demo_network
from indexer.demo.parallel.bridge import Bridge, Memo, read_memo
from indexer.demo.parallel.chains import BY_KEY, CHAINS, EXCHANGE, ROLES, TokenChain
from indexer.demo.parallel.ledger import Transfer
from indexer.demo.payments import text_script
from indexer.demo.wallet import FUSION_WALLETS
from indexer.parse.columns import ParsedBlock
from indexer.state.delta import Coin
from tests.demo.chains import NOW, copy_of
from tests.demo.parallel_chains import balances, held_by_fusion, unbacked

NETWORK = demo_network()
POOL = NETWORK.funds.swap_pool
LAST_LAUNCH = POOL.start + (POOL.times - 1) * POOL.interval


@contextmanager
def opened(folder: Path) -> Iterator[DemoChain]:
    with closing(BlockFile(folder / FILE_NAME, NETWORK.magic)) as file:
        yield load(NETWORK, file)


class Watched(Bridge):
    """A bridge that notes what each block did, and how it left the balance of all chains."""

    def __init__(self) -> None:
        super().__init__(NETWORK)
        self.transfers: dict[int, list[Transfer]] = {}
        self.legs: list[tuple[int, Memo, int]] = []
        self.outstanding: list[int] = []

    def connected(self, height: int, block: ParsedBlock, spent: dict[bytes, Coin]) -> None:
        self.height = height
        super().connected(height, block, spent)
        self.transfers[height] = list(self.ledgers._blocks[-1])
        self.outstanding.append(self.ledgers.total_outstanding())

    def transfer(self, memo: Memo, gain: int) -> None:
        self.legs.append((self.height, memo, gain))
        super().transfer(memo, gain)


Replayed = tuple[DemoChain, Watched, list[int]]


@pytest.fixture(scope="module")
def replayed(first_chain: Path) -> Replayed:
    """The first chain, block by block: its bridge, and what Fusion held after each block."""
    with opened(first_chain) as whole:
        chain, watched, held = DemoChain(NETWORK, whole.file), Watched(), []
        chain.bridge = watched
        for place in whole.active:
            chain.connect(chain.note(whole.parsed(place), place.at, place.size), whole.parsed(place))
            held.append(held_by_fusion(chain))
    return chain, watched, held


def test_every_coin_is_backed_at_every_height(replayed: Replayed) -> None:
    _, bridge, held = replayed
    assert bridge.outstanding == held
    assert held[POOL.start - 1] == 0
    assert held[LAST_LAUNCH] > 200_000_000 * COIN


def test_each_payment_to_the_swap_pool_launches_a_chain(replayed: Replayed) -> None:
    _, bridge, _ = replayed
    for chain in CHAINS:
        given = bridge.transfers[chain.launch_height(NETWORK)]
        launched = sum(t.amount for t in given if t.chain == chain.key and t.sender == chain.issuer("SWAP"))
        assert launched >= POOL.amount, chain.key
    assert not any(bridge.transfers[height] for height in range(POOL.start))


def test_coins_move_in_every_direction(replayed: Replayed) -> None:
    _, bridge, _ = replayed
    seen: Counter[tuple[str, bool]] = Counter((memo.chain.key, gain > 0) for _, memo, gain in bridge.legs)
    assert set(seen) == {(chain.key, inwards) for chain in CHAINS for inwards in (True, False)}
    native = Counter(height for height, _, _ in bridge.legs)
    crossings = [h for h, moved in bridge.transfers.items() if h > LAST_LAUNCH and moved and not native[h]]
    assert len(bridge.legs) > 200 and len(crossings) > 100


def test_the_example_of_the_whitepaper(replayed: Replayed) -> None:
    """2,000 FLUX go from BNB Smart Chain to the native chain: locked there, freed here, nothing added."""
    _, bridge, held = replayed
    height = LAST_LAUNCH + EXAMPLE_DELAY
    ((_, memo, gain),) = [leg for leg in bridge.legs if leg[0] == height]
    assert (memo.chain.key, gain) == ("bsc", -EXAMPLE_AMOUNT)
    swap = BY_KEY["bsc"].issuer("SWAP")
    assert Transfer("bsc", memo.account, swap, EXAMPLE_AMOUNT) in bridge.transfers[height]
    assert held[height - 1] - held[height] == EXAMPLE_AMOUNT


def test_nobody_owes(replayed: Replayed) -> None:
    chain, _, _ = replayed
    for key, (supply, accounts) in balances(chain).items():
        assert min(accounts.values()) > 0, key
        assert sum(accounts.values()) == supply == BY_KEY[key].minted, key


def test_reorganisations_undo_moves_and_a_restart_finds_the_same(first_chain: Path, tmp_path: Path) -> None:
    folder = copy_of(first_chain, tmp_path)
    with opened(folder) as chain:
        builder, at = Builder(chain, 1), {FIRST_BLOCKS: balances(chain)}
        for number in range(24):
            builder.fill(NOW + 10 * number, builder.random("test"), 2)
            builder.extend(NOW + 10 * number)
            assert unbacked(chain) == 0
            if number % 5 == 4:
                builder.reorganise(1 + number // 6, NOW + 10 * number + 5)
                assert unbacked(chain) == 0
        after = balances(chain)
        assert after != at[FIRST_BLOCKS]
    with opened(folder) as chain:
        assert balances(chain) == after
        for height in range(chain.height, chain.height - 10, -1):
            at[height] = balances(chain)
            chain.disconnect()
        place, back = chain.tip, balances(chain)
    with opened(folder) as chain:
        while chain.tip != place:
            assert balances(chain) == at[chain.height]
            chain.disconnect()
        assert balances(chain) == back


def test_what_was_some_blocks_ago(first_chain: Path) -> None:
    with opened(first_chain) as chain:
        ledgers = chain.bridge.ledgers
        now = [
            {(c.key, a): ledgers.balance(c.key, a, ago) for c in CHAINS for a in map(c.issuer, ROLES)}
            for ago in range(12)
        ]
        for ago in range(12):
            assert {(k, a): ledgers.balance(k, a) for k, a in now[ago]} == now[ago], ago
            chain.disconnect()
        assert ledgers.supply("eth", 5) == BY_KEY["eth"].minted


def test_what_fusion_cannot_serve_stays_in_custody() -> None:
    """Nobody checks signatures here: whoever sends odd transactions must not break the ledgers."""
    bridge, kda = Bridge(NETWORK), BY_KEY["kda"]
    bridge.ledgers.open_block()
    bridge.transfer(Memo(kda, "k:somebody"), kda.minted * 3)
    assert bridge.ledgers.balance("kda", "k:somebody") == kda.minted - sum(
        bridge.ledgers.balance("kda", kda.issuer(role)) for role in ROLES
    )
    bridge.transfer(Memo(kda, kda.holder(EXCHANGE)), -COIN)
    assert bridge.ledgers.balance("kda", kda.holder(EXCHANGE)) == 0
    bridge.disconnected()
    assert bridge.ledgers.outstanding("kda") == 0


@pytest.mark.parametrize("chain", CHAINS, ids=[chain.key for chain in CHAINS])
def test_a_memo_is_read_as_it_was_written(chain: TokenChain) -> None:
    memo = Memo(chain, chain.holder(3))
    assert read_memo(text_script(memo.text)) == memo


@pytest.mark.parametrize("text", ["Rent for May", "DOGE:abc", "BSC 0x12", "ETH:a\nb"])
def test_other_texts_are_no_memos(text: str) -> None:
    assert read_memo(text_script(text)) is None


def test_the_locked_wallet_is_the_swap_pool_of_the_rules() -> None:
    assert FUSION_WALLETS["LOCKED"].address == POOL.address
