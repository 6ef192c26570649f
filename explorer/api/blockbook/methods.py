"""The questions of the websocket: each method by name, with the parameters of its message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from explorer.api.blockbook import accounts, ask, chain, history
from explorer.api.blockbook.ask import Given
from explorer.api.blockbook.fees import fee_of, fee_rates
from explorer.api.blockbook.status import wallet_status
from explorer.api.forms.reply import Passing
from explorer.errors import BadRequest, NotFound
from explorer.services import Services

Method = Callable[[Services, Given], Awaitable[Any]]

ON_PAGE: Final = 25
NO_MARKET: Final = "there is no market data here"


async def get_info(s: Services, given: Given) -> Any:
    """Coin, tip, branch of the consensus."""
    return (await s.db.fenced(wallet_status)).value


async def get_block_hash(s: Services, given: Given) -> Any:
    """The hash of the block at a height."""
    height = ask.whole(given, "height")
    if height is None:
        raise BadRequest("height: expected a whole number")
    return {"hash": (await s.db.fenced(chain.block_hash, height)).value}


async def get_block(s: Services, given: Given) -> Any:
    """A block by height or hash with a page of its transactions."""
    page, size = ask.page_of(given), ask.size_of(given, accounts.MOST_ON_PAGE)
    return (await s.db.fenced(chain.block_page, str(given.get("id", "")), page, size)).value


async def get_account_info(s: Services, given: Given) -> Any:
    """An address with a page of its transactions."""
    wanted = ask.wanted_of(given, "basic", ON_PAGE)
    return (await s.db.fenced(accounts.account, ask.text(given, "descriptor"), wanted)).value


async def get_account_utxo(s: Services, given: Given) -> Any:
    """The unspent outputs of an address."""
    return (await s.db.fenced(accounts.unspent, ask.text(given, "descriptor"), confirmed=False)).value


async def get_balance_history(s: Services, given: Given) -> Any:
    """What an address received and sent, by stretches of time."""
    since, until = ask.whole(given, "from"), ask.whole(given, "to")
    stretch = ask.whole(given, "groupBy") or history.HOUR
    descriptor = ask.text(given, "descriptor")
    found = await s.db.fenced(history.balance_history, descriptor, since=since, until=until, stretch=stretch)
    return found.value


async def get_transaction(s: Services, given: Given) -> Any:
    """A transaction with its bytes."""
    told = (await chain.one_transaction(s, ask.text(given, "txid"))).value
    return told.value if isinstance(told, Passing) else told


async def get_transaction_specific(s: Services, given: Given) -> Any:
    """A transaction in the daemon's words."""
    return (await chain.daemon_transaction(s, ask.text(given, "txid"))).value.value


async def estimate_fee(s: Services, given: Given) -> Any:
    """For each number of blocks the fee in zatoshi per 1000 bytes, and of a transaction whose size is told."""
    targets = given.get("blocks")
    if not isinstance(targets, list) or not all(type(target) is int for target in targets):
        raise BadRequest("blocks: expected a list of whole numbers")
    specific = given.get("specific")
    size = ask.whole(specific, "txsize") if isinstance(specific, Mapping) else None
    rates = await fee_rates(s.daemon, targets)
    return [
        {"feePerUnit": str(rate)} | ({} if size is None else {"feePerTx": str(fee_of(rate, size))}) for rate in rates
    ]


async def send_transaction(s: Services, given: Given) -> Any:
    """Hand a transaction to the daemon."""
    return {"result": await s.daemon.broadcast(ask.text(given, "hex"))}


async def ping(s: Services, given: Given) -> Any:
    """A sign of life."""
    return {}


async def rates(s: Services, given: Given) -> Any:
    """Prices: there are none, and none is made up."""
    raise NotFound(NO_MARKET)


METHODS: Final[Mapping[str, Method]] = {
    "getInfo": get_info,
    "getBlockHash": get_block_hash,
    "getBlock": get_block,
    "getAccountInfo": get_account_info,
    "getAccountUtxo": get_account_utxo,
    "getBalanceHistory": get_balance_history,
    "getTransaction": get_transaction,
    "getTransactionSpecific": get_transaction_specific,
    "estimateFee": estimate_fee,
    "sendTransaction": send_transaction,
    "ping": ping,
    "getCurrentFiatRates": rates,
    "getFiatRatesForTimestamps": rates,
    "getFiatRatesTickersList": rates,
    "subscribeFiatRates": rates,
}
