"""Servers of Tron, Solana, Kadena, Ergo and Algorand that give their documented answers about a token."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from explorer.parallel.addresses import tron_bytes
from tests.explorer.parallel.chain import MAIN
from tests.explorer.parallel.servers import Answer, Asked

COIN = 10**8
MINTED = 440_000_000 * COIN
HELD = (42_907_51035183, 19_767_66410492, 617_681_81928663, 432_700_000 * COIN, 2_150_000 * COIN, 4_080_000 * COIN)
"""What the six addresses on Algorand held on 2026-09-04."""
OUTSTANDING = 389_643_00625662


@dataclass
class Token:
    """What the servers below say; ``change`` is applied to every answer before it is sent."""

    minted: int = MINTED
    held: tuple[int, ...] = HELD
    decimals: int = 8
    change: Callable[[Any], Any] = lambda answer: answer
    asked: list[str] = field(default_factory=list)

    def of(self, chain: str, address: str) -> int:
        """The units of an issuer address."""
        return dict(zip([issuer.address for issuer in MAIN[chain].issuers], self.held, strict=True)).get(address, 0)


def tron(token: Token) -> Callable[[Asked], Any]:
    """A full node of Tron (developers.tron.network: TriggerConstantContract, GetNowBlock)."""
    by_word = {tron_bytes(i.address).hex().rjust(64, "0"): token.of("trx", i.address) for i in MAIN["trx"].issuers}

    def answer(asked: Asked) -> Any:
        assert asked.method == "POST"
        if asked.path == "/wallet/getnowblock":
            return {"blockID": "00", "block_header": {"raw_data": {"number": 75_000_000, "timestamp": 1}}}
        assert asked.path == "/wallet/triggerconstantcontract"
        assert (asked.body["contract_address"], asked.body["visible"]) == (MAIN["trx"].contract, True)
        said = {
            "totalSupply()": lambda _: token.minted,
            "decimals()": lambda _: token.decimals,
            "balanceOf(address)": by_word.__getitem__,
        }
        number = said[asked.body["function_selector"]](asked.body["parameter"])
        return token.change({"result": {"result": True}, "energy_used": 541, "constant_result": [f"{number:064x}"]})

    return answer


def solana(token: Token) -> Callable[[Asked], Any]:
    """An RPC node of Solana (solana.com/docs/rpc); the first owner has two token accounts, the second none."""

    def amount(units: int) -> dict[str, Any]:
        return {"amount": str(units), "decimals": token.decimals, "uiAmount": units / 1e8, "uiAmountString": "?"}

    def account(owner: str, number: int, units: int) -> dict[str, Any]:
        info = {"mint": MAIN["sol"].contract, "owner": owner, "tokenAmount": amount(units), "state": "initialized"}
        parsed = {"info": info, "type": "account"}
        return {"pubkey": f"{owner}{number}", "account": {"data": {"parsed": parsed, "program": "spl-token"}}}

    def one(call: dict[str, Any]) -> Any:
        if call["method"] == "getTokenSupply":
            assert call["params"][0] == MAIN["sol"].contract
            return amount(token.minted)
        owner, wanted, options = call["params"]
        assert wanted == {"mint": MAIN["sol"].contract} and options["encoding"] == "jsonParsed"
        units = token.of("sol", owner)
        if owner == MAIN["sol"].issuers[0].address:
            return [account(owner, 0, units - 7), account(owner, 1, 7)]
        return [account(owner, 0, units)] if units else []

    def answer(asked: Asked) -> Any:
        replies = [
            {"jsonrpc": "2.0", "id": call["id"], "result": {"context": {"slot": 371_000_000}, "value": one(call)}}
            for call in asked.body
        ]
        return token.change(replies)

    return answer


LOCAL = re.compile(r"/chainweb/0\.0/mainnet01/chain/(\d+)/pact/api/v1/local")
CODE = re.compile(
    r"\[\(fold \(\+\) 0\.0 \(map \(lambda \(k\) \(at 'balance \(read (\S+)\.ledger k\)\)\) \(keys \1\.ledger\)\)\) "
    r"\(map \(lambda \(a\) \(with-default-read \1\.ledger a \{'balance: 0\.0\} \{'balance := b\} b\)\) \[(.*)\]\)\]"
)


def kadena(token: Token) -> Callable[[Asked], Any]:
    """A node of Chainweb: the issuer's coins lie on chain 0, but for one coin of each address on chain 7."""

    def answer(asked: Asked) -> Any:
        found = LOCAL.fullmatch(asked.path)
        assert found and asked.method == "POST" and asked.body["sigs"] == []
        digest = hashlib.blake2b(asked.body["cmd"].encode(), digest_size=32).digest()
        assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == asked.body["hash"]
        command = json.loads(asked.body["cmd"])
        assert (command["networkId"], command["meta"]["chainId"]) == ("mainnet01", found[1])
        code = CODE.fullmatch(command["payload"]["exec"]["code"])
        assert code and code[1] == "runonflux.flux"
        token.asked.append(found[1])
        balances = [on_chain(int(found[1]), units) for units in held_of(json.loads(f"[{code[2].replace(' ', ',')}]"))]
        others = {0: token.minted - sum(token.held), 3: 5 * COIN}.get(int(found[1]), 0)
        if int(found[1]) == 0:
            others -= 5 * COIN
        data = [pact(sum(balances) + others), [pact(units) for units in balances]]
        said = {"gas": 1, "result": {"status": "success", "data": data}, "metaData": {"blockHeight": 6_000_000}}
        return token.change(said)

    def held_of(accounts: list[str]) -> list[int]:
        return [token.of("kda", account) for account in accounts]

    def on_chain(number: int, units: int) -> int:
        return {0: units - min(units, COIN), 7: min(units, COIN)}.get(number, 0)

    return answer


def pact(units: int) -> Any:
    """A decimal as Pact writes it: as a number while its digits fit into 53 bits, else as a text."""
    number = Decimal(units).scaleb(-8)
    return number if units < 2**53 else {"decimal": str(number)}


def ergo(token: Token) -> Callable[[Asked], Any]:
    """The explorer of Ergo (api.ergoplatform.com/api/v1/docs); the last address has never been used."""
    contract = MAIN["erg"].contract

    def answer(asked: Asked) -> Any:
        *_, kind, name, rest = f"{asked.path}//".split("/")[:6]
        if asked.path == "/api/v1/networkState":
            return {"lastBlockId": "00", "height": 1_600_000}
        if kind == "tokens" or name == contract:
            said = {"id": contract, "emissionAmount": token.minted, "decimals": token.decimals, "type": "EIP-004"}
            return token.change(said)
        address = asked.path.split("/")[4]
        units = token.of("erg", address)
        assert asked.path == f"/api/v1/addresses/{address}/balance/confirmed" and rest is not None
        other = {"tokenId": "00" * 32, "amount": 5, "decimals": 0}
        held = {"tokenId": contract, "amount": units, "decimals": token.decimals, "name": "Flux"}
        return token.change({"nanoErgs": 1_000_000, "tokens": [other, held] if units else []})

    return answer


def algorand(token: Token) -> Callable[[Asked], Any]:
    """A node of Algorand (algod's REST API v2): 404 is an account that never opted in."""

    def answer(asked: Asked) -> Any:
        if asked.path == "/v2/assets/1029804829":
            return token.change({"index": 1029804829, "params": {"total": token.minted, "decimals": token.decimals}})
        _, _, _, account, _, asset = asked.path.split("/")
        assert asset == "1029804829"
        units = token.of("algo", account)
        if not units:
            return Answer(b'{"message": "account asset info not found"}', 404)
        held = {"amount": units, "asset-id": 1029804829, "is-frozen": False}
        return token.change({"asset-holding": held, "round": 55_000_000})

    return answer


SERVERS: Mapping[str, Callable[[Token], Callable[[Asked], Any]]] = {
    "trx": tron,
    "sol": solana,
    "kda": kadena,
    "erg": ergo,
    "algo": algorand,
}
BLOCKS = {"trx": 75_000_000, "sol": 371_000_000, "kda": 6_000_000, "erg": 1_600_000, "algo": 55_000_000}
