"""The Pact token on Kadena's twenty chains: ledger and balances of a chain in one local call, of one block.

The module tells no supply: it is the sum of its ledger. A local call is read-only and neither signed nor paid for.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from typing import Any, Final

from explorer.parallel.amounts import coins, decimal, field, require_backed, shown, whole
from explorer.parallel.base import ParallelChain, Reading
from explorer.parallel.fetch import Fetcher
from explorer.parallel.jsonrpc import Declined
from explorer.parallel.together import together
from indexer.errors import Garbled

CHAINS: Final = 20
AT_ONCE: Final = 4  # chains asked at the same time
GAS_LIMIT: Final = 1_000_000
TTL_SECONDS: Final = 600
CLOCK_SECONDS: Final = 60  # how far a node's clock may be behind ours
LONGEST_REASON: Final = 160


class KadenaReader:
    """Reads sum and balances of the module's ledger on each chain and adds them up."""

    of_one_block = False

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    async def read(self, chain: ParallelChain, endpoint: str, now: int) -> Reading:
        """Minted and issuer-held on all twenty chains; the block is that of chain 0."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(number: int) -> tuple[int, list[int], int | None]:
            async with gate:
                return await self._read_one(chain, endpoint, number, now)

        found = await together(one(number) for number in range(CHAINS))
        minted = sum(total for total, _, _ in found)
        held = tuple(sum(amounts) for amounts in zip(*(balances for _, balances, _ in found), strict=True))
        require_backed(minted, held)
        return Reading(minted, held, now, found[0][2])

    async def _read_one(
        self, chain: ParallelChain, endpoint: str, number: int, now: int
    ) -> tuple[int, list[int], int | None]:
        accounts = [issuer.address for issuer in chain.issuers]
        network = endpoint.rpartition("/")[2]
        command = local_command(ledger_code(chain.contract, accounts), network, number, now)
        answer = await self._fetcher.post(f"{endpoint}/chain/{number}/pact/api/v1/local", command)
        data = _data(answer, number)
        if not isinstance(data, list) or len(data) != 2 or not isinstance(data[1], list):
            raise Garbled(f"chain {number} gave {shown(data)}: the sum of a ledger and balances are expected")
        if len(data[1]) != len(accounts):
            raise Garbled(f"chain {number} gave {len(data[1])} balances of {len(accounts)}")
        total = coins(decimal(data[0], f"the ledger of chain {number}"), f"the ledger of chain {number}")
        what = f"a balance on chain {number}"
        return total, [coins(decimal(balance, what), what) for balance in data[1]], _height(answer)


def ledger_code(module: str, accounts: list[str]) -> str:
    """Pact code for the sum of the module's ledger and the balances of accounts, 0 where there is no such account."""
    ledger = f"{module}.ledger"
    names = " ".join(f'"{account}"' for account in accounts)
    return (
        f"[(fold (+) 0.0 (map (lambda (k) (at 'balance (read {ledger} k))) (keys {ledger}))) "
        f"(map (lambda (a) (with-default-read {ledger} a {{'balance: 0.0}} {{'balance := b}} b)) [{names}])]"
    )


def local_command(code: str, network: str, chain: int, now: int) -> dict[str, Any]:
    """The body of a local call: an unsigned command with its hash (Pact's ``/api/v1/local``)."""
    meta = {
        "chainId": str(chain),
        "sender": "",
        "gasLimit": GAS_LIMIT,
        "gasPrice": 1e-8,
        "ttl": TTL_SECONDS,
        "creationTime": now - CLOCK_SECONDS,
    }
    payload = {"exec": {"data": {}, "code": code}}
    command = json.dumps(
        {"networkId": network, "payload": payload, "signers": [], "meta": meta, "nonce": f"{now}-{chain}"}
    )
    digest = hashlib.blake2b(command.encode(), digest_size=32).digest()
    return {"cmd": command, "hash": base64.urlsafe_b64encode(digest).decode().rstrip("="), "sigs": []}


def _data(answer: Any, number: int) -> Any:
    if field(answer, "result", "status") != "success":
        error = answer["result"].get("error")
        reason = error.get("message", "") if isinstance(error, dict) else error
        raise Declined(f"chain {number} declined the call: {' '.join(str(reason).split())[:LONGEST_REASON]}")
    return field(answer, "result", "data")


def _height(answer: Any) -> int | None:
    """The height of the block that the call was answered for; older nodes do not tell."""
    told = answer.get("metaData")
    return whole(told["blockHeight"], "the block height") if isinstance(told, dict) and "blockHeight" in told else None
