"""A real EVM in this process (eth-tester on py-evm) with an ERC-20 token, behind the JSON-RPC that nodes speak."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import vyper  # type: ignore[import-untyped]
from eth_tester import EthereumTester, PyEVMBackend  # type: ignore[import-untyped]
from eth_tester.exceptions import BlockNotFound  # type: ignore[import-untyped]
from eth_utils.crypto import keccak

from tests.explorer.parallel.servers import Asked

SOURCE = Path(__file__).with_name("token.vy")
NO_BLOCK = -32001  # as a node says that it does not have a block (yet)


@cache
def compiled() -> str:
    """The token's bytecode, hex with 0x."""
    return str(vyper.compile_code(SOURCE.read_text(), output_formats=["bytecode"])["bytecode"])


def selector(signature: str) -> str:
    """The first four bytes of the hash of a function's signature, hex with 0x."""
    return f"0x{keccak(text=signature)[:4].hex()}"


def argument(value: int | str) -> str:
    """A number or an address as a word of call data, hex."""
    return f"{value:064x}" if isinstance(value, int) else value[2:].lower().rjust(64, "0")


class EvmNode:
    """A chain with a block for every transaction; ``accounts[0]`` made the token and got all of it.

    ``lag``: the next batch is answered by a node that lacks so many of the newest blocks, as behind a balancer.
    ``between`` happens after every reply, also inside of a batch.
    """

    def __init__(self, minted: int, decimals: int = 8) -> None:
        self._tester = EthereumTester(PyEVMBackend())
        self._lock = Lock()
        self.accounts = [str(account) for account in self._tester.get_accounts()]
        self.contract = ""
        made = self._transact(None, compiled() + argument(minted) + argument(decimals))
        self.contract = str(made["contract_address"])
        self.lag = 0
        self.between: Callable[[], object] = lambda: None

    def transfer(self, sender: str, receiver: str, units: int) -> None:
        """Move units of the token, in a block of its own."""
        with self._lock:
            self._transact(sender, selector("transfer(address,uint256)") + argument(receiver) + argument(units))

    def mint(self, receiver: str, units: int) -> None:
        """Make units of the token out of nothing, in a block of its own."""
        with self._lock:
            self._transact(None, selector("mint(address,uint256)") + argument(receiver) + argument(units))

    @property
    def newest(self) -> int:
        """The number of the newest block that has been mined."""
        return int(self._tester.get_block_by_number("latest")["number"])

    def answer(self, asked: Asked) -> Any:
        """The reply to a JSON-RPC request or batch."""
        if not isinstance(asked.body, list):
            return self._reply(asked.body)
        behind, self.lag = self.lag, 0
        # JSON-RPC lets a server reply to a batch in any order.
        return [self._reply(call, behind) for call in reversed(asked.body)]

    def _reply(self, call: dict[str, Any], behind: int = 0) -> dict[str, Any]:
        head = {"jsonrpc": "2.0", "id": call["id"]}
        methods: dict[str, Callable[..., str]] = {"eth_blockNumber": self._number, "eth_call": self._call}
        with self._lock:
            try:
                reply: dict[str, Any] = {"result": methods[call["method"]](behind, *call["params"])}
            except BlockNotFound:
                reply = {"error": {"code": NO_BLOCK, "message": "header not found"}}
        self.between()
        return {**head, **reply}

    def _number(self, behind: int) -> str:
        return hex(self.newest - behind)

    def _call(self, behind: int, call: dict[str, str], block: str) -> str:
        number = int(block, 16)
        if number > self.newest - behind:
            raise BlockNotFound
        return str(self._tester.call({"from": self.accounts[0], "gas": 1_000_000, **call}, number))

    def _transact(self, sender: str | None, data: str) -> Any:
        to = {"to": self.contract} if self.contract else {}
        sent = {"from": sender or self.accounts[0], "gas": 3_000_000, "data": data, **to}
        receipt = self._tester.get_transaction_receipt(self._tester.send_transaction(sent))
        assert receipt["status"] == 1, "the EVM refused the transaction"
        return receipt
