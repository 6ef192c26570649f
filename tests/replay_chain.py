"""What the recorded daemon answers at any of its tips: the recorded blocks, seen from the branch that is active.

Block answers are computed from the recorded blocks for the active branch, so that they hold at every tip; answers
about nodes and the utxo set come from the recorded states; everything else is looked up among the recorded calls.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from indexer.chain.keys import hash_text
from indexer.parse import parse_block
from indexer.parse.columns import ints
from tests import recorded

MISC_ERROR, NOT_FOUND, BAD_PARAMETER, DECODE_FAILED, NO_METHOD = -1, -5, -8, -22, -32601

_STATE_METHODS = {
    "getfluxnodesnapshot": "snapshot",
    "getstartlist": "startlist",
    "getdoslist": "doslist",
    "fluxnodecurrentwinner": "winner",
    "getfluxnodecount": "count",
    "getmigrationcount": "migration",
    "gettxoutsetinfo": "txoutset",
}
_ONLY_IN_BLOCKS = ("size", "tx", "anchor", "valuePools")
_POW_HEADER, _PON_HEADER, _PON_VERSION = 140, 144, 100


class RpcError(Exception):
    """An error reply of the daemon."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code, self.message = code, message


@cache
def block_by_hash() -> dict[str, dict[str, Any]]:
    """Every recorded block, stale ones too, by hash."""
    return {block["hash"]: block for block in (*recorded.blocks(), *recorded.stale_blocks())}


@cache
def reorgs() -> dict[str, dict[str, Any]]:
    """The recorded reorganisations R1 to R5: ``fork_height``, ``stale`` and ``new`` hashes."""
    events = [json.loads(line) for line in (recorded.CHAIN / "events.jsonl").read_text().splitlines()]
    return {event["name"].split()[0]: event for event in events if event["kind"] == "reorg"}


@cache
def _recorded_calls() -> dict[tuple[str, str, str], dict[str, Any]]:
    """Recorded calls by method, parameters and best hash; under an empty best hash the last one."""
    calls = {}
    for call in recorded.rpc_calls():
        key = (call["method"], json.dumps(call["params"]))
        calls[(*key, call["besthash"])] = calls[(*key, "")] = call["response"]
    return calls


@cache
def _recorded_by_height(method: str) -> list[tuple[int, dict[str, Any]]]:
    return [(c["height"], c["response"]["result"]) for c in recorded.rpc_calls() if c["method"] == method]


@cache
def raw_transactions() -> dict[str, str]:
    """The bytes of every transaction of the recorded blocks, as hex by txid; stale blocks included."""
    found = {}
    for block in map(parse_block, recorded.raw_by_hash().values()):
        starts = ints(block.tx_start, "I")
        for index in range(block.tx_count):
            found[hash_text(block.txid(index))] = block.raw[starts[index] : starts[index + 1]].hex()
    return found


class ReplayChain:
    """The daemon's view with one branch active; ``set_tip``, ``extend``, ``reorg`` and ``replay`` change it."""

    def __init__(self, tip: int | str = recorded.TIP) -> None:
        self.active: list[str] = []
        self.headers: int | None = None
        self.another_network = False
        self.mempool: dict[str, str] = {}
        self.refusal: tuple[int, str] | None = None
        self.unknown: set[str] = set()  # methods that a daemon of an earlier version does not have
        self._lived = self._tips()
        self._methods: dict[str, Callable[..., Any]] = {
            "getblockcount": lambda: len(self.active) - 1,
            "getbestblockhash": lambda: self._shown(self.active[-1]),
            "getblockhash": self._getblockhash,
            "getblock": self._getblock,
            "getblockheader": self._getblockheader,
            "getblockchaininfo": self._getblockchaininfo,
            "getinfo": lambda: self._nearest("getinfo") | {"blocks": len(self.active) - 1},
            "getnetworkinfo": lambda: self._nearest("getnetworkinfo"),
            "getconnectioncount": lambda: self._nearest("getnetworkinfo")["connections"],
            "getrawmempool": self._getrawmempool,
            "getrawtransaction": self._getrawtransaction,
            "sendrawtransaction": self._sendrawtransaction,
            "listfluxnodes": self._list_nodes,
            "viewdeterministicfluxnodelist": self._list_nodes,
        }
        self.set_tip(tip)

    # -- switching branches

    @property
    def height(self) -> int:
        """The tip's height."""
        return len(self.active) - 1

    def set_tip(self, tip: int | str) -> None:
        """Make the recorded block with this hash, or of the won chain with this height, the tip."""
        if isinstance(tip, int):
            self.active = [block["hash"] for block in recorded.blocks()[: tip + 1]]
            return
        stale: list[str] = []
        block = block_by_hash()[tip]
        while recorded.blocks()[block["height"]]["hash"] != block["hash"]:
            stale.append(block["hash"])
            block = block_by_hash()[block["block"]["previousblockhash"]]
        self.active = [b["hash"] for b in recorded.blocks()[: block["height"] + 1]] + stale[::-1]

    def extend(self, count: int = 1) -> None:
        """Go on along the won chain."""
        self.set_tip(self.height + count)

    def reorg(self, name: str, *, won: bool = True) -> None:
        """Make the branch that won reorganisation ``R1`` to ``R5`` active, or the one that lost."""
        self.set_tip(reorgs()[name]["new" if won else "stale"][-1])

    def step(self) -> bool:
        """Go to the next tip in the order in which the daemon lived it; False after the last."""
        tip = next(self._lived, None)
        if tip is not None:
            self.set_tip(tip)
        return tip is not None

    @staticmethod
    def _tips() -> Iterator[int | str]:
        height = 0
        for reorg in reorgs().values():
            yield from range(height, reorg["fork_height"] + 1)
            yield from reorg["stale"]
            height = reorg["height"]
        yield from range(height, recorded.TIP + 1)

    # -- answers

    def answer(self, method: str, params: list[Any]) -> Any:
        """The daemon's result at this tip; raises RpcError with its code and words."""
        if method in self.unknown:
            raise RpcError(NO_METHOD, "Method not found")
        answer = self._methods.get(method)
        if answer is not None:
            try:
                return answer(*params)
            except TypeError:  # the daemon answers a wrong number of parameters with its help text
                return self._as_recorded(method, params)
        if method in _STATE_METHODS and not params:
            return recorded.states()[self.active[-1]][_STATE_METHODS[method]]
        return self._as_recorded(method, params)

    def _as_recorded(self, method: str, params: list[Any]) -> Any:
        calls, key = _recorded_calls(), (method, json.dumps(params))
        reply = calls.get((*key, self.active[-1])) or calls.get((*key, ""))
        if reply is None and not _recorded_by_height(method):
            raise RpcError(NO_METHOD, "Method not found")
        if reply is None:
            raise RpcError(MISC_ERROR, f"{method} was not recorded with these parameters")
        if reply["error"] is not None:
            raise RpcError(reply["error"]["code"], reply["error"]["message"])
        return reply["result"]

    def _nearest(self, method: str) -> dict[str, Any]:
        """The recorded answer at the tip, or at the highest recorded height below it."""
        answers = _recorded_by_height(method)
        below = [answer for height, answer in answers if height <= self.height]
        return dict(below[-1] if below else answers[0][1])

    def _shown(self, block_hash: str) -> str:
        return block_hash[::-1] if self.another_network else block_hash

    def _getblockhash(self, height: Any) -> str:
        if not isinstance(height, int):
            raise RpcError(MISC_ERROR, "JSON value is not an integer as expected")
        if not 0 <= height <= self.height:
            raise RpcError(BAD_PARAMETER, "Block height out of range")
        return self._shown(self.active[height])

    def _find(self, wanted: Any) -> str:
        if not isinstance(wanted, str):
            raise RpcError(MISC_ERROR, "JSON value is not a string as expected")
        if len(wanted) >= 64:
            return self._shown(wanted)
        if not wanted.isdecimal():
            raise RpcError(BAD_PARAMETER, "Invalid block height parameter")
        if int(wanted) > self.height:
            raise RpcError(BAD_PARAMETER, "Block height out of range")
        return self.active[int(wanted)]

    def _getblock(self, wanted: Any, verbosity: int = 1) -> Any:
        found = self._find(wanted)
        if not 0 <= verbosity <= 2:
            raise RpcError(BAD_PARAMETER, "Verbosity must be in range from 0 to 2")
        block = block_by_hash().get(found)
        if block is None:  # some blocks that never became the tip were recorded in answers only
            return self._unknown_block("getblock", [wanted, verbosity])
        if verbosity == 0:
            return block["hex"]
        shown = block["block"] | self._position(block)
        if verbosity == 1:
            return shown | {"tx": [tx["txid"] for tx in shown["tx"]]}
        return shown | {"tx": [self._without_later_spends(tx) for tx in shown["tx"]]}

    def _unknown_block(self, method: str, params: list[Any]) -> Any:
        if (method, json.dumps(params), "") in _recorded_calls():
            return self._as_recorded(method, params)
        raise RpcError(NOT_FOUND, "Block not found")

    def _position(self, block: dict[str, Any]) -> dict[str, Any]:
        height = block["height"]
        if height > self.height or self.active[height] != block["hash"]:
            return {"confirmations": -1, "nextblockhash": None}
        following = self.active[height + 1] if height < self.height else None
        return {"confirmations": self.height - height + 1, "nextblockhash": following}

    def _without_later_spends(self, tx: dict[str, Any]) -> dict[str, Any]:
        outputs = [
            {key: value for key, value in output.items() if not key.startswith("spent")}
            if output.get("spentHeight", 0) > self.height
            else output
            for output in tx.get("vout", [])
        ]
        return tx | {"vout": outputs} if "vout" in tx else tx

    def _getblockheader(self, wanted: Any, *verbosity: bool) -> Any:
        verbose = all(verbosity)
        if wanted not in block_by_hash():
            return self._unknown_block("getblockheader", [wanted, *verbosity])
        block = block_by_hash()[wanted]
        if not verbose:
            return block["hex"][: 2 * _header_length(bytes.fromhex(block["hex"]))]
        header = {key: value for key, value in block["block"].items() if key not in _ONLY_IN_BLOCKS}
        return header | self._position(block)

    def _getblockchaininfo(self) -> dict[str, Any]:
        tip = block_by_hash()[self.active[-1]]
        shown = {
            "blocks": self.height,
            "headers": self.height if self.headers is None else self.headers,
            "bestblockhash": self._shown(tip["hash"]),
            "chainwork": tip["block"]["chainwork"],
        }
        return self._nearest("getblockchaininfo") | shown | ({"chain": "test"} if self.another_network else {})

    # -- nodes

    def _list_nodes(self, wanted: str = "") -> list[dict[str, Any]]:
        """The confirmed nodes that contain the text ``wanted``."""
        nodes = recorded.states()[self.active[-1]]["snapshot"]["nodes"]
        searched = ("txhash", "pubkey", "ip", "payment_address")
        return [node for node in nodes if not wanted or any(wanted in node[key] for key in searched)]

    # -- transactions

    def _getrawmempool(self, verbose: bool = False) -> Any:
        if not self.mempool:
            empty: dict[str, Any] | list[Any] = {} if verbose else []
            recorded_reply = _recorded_calls().get(("getrawmempool", json.dumps([verbose]), self.active[-1]))
            return recorded_reply["result"] if recorded_reply else empty
        if not verbose:
            return list(self.mempool)
        facts = {"height": self.height, "depends": []}
        return {txid: facts | {"size": len(raw) // 2} for txid, raw in self.mempool.items()}

    def _getrawtransaction(self, *params: Any) -> Any:
        txid, *verbose = params
        if txid in self.mempool and not any(verbose):
            return self.mempool[txid]
        if not any(verbose) and txid in self.waiting():
            return raw_transactions()[txid]
        return self._as_recorded("getrawtransaction", list(params))

    def waiting(self) -> set[str]:
        """The txids in the mempool at this tip: those that were put there, else those of the recording."""
        return set(self._getrawmempool(True)) & (self.mempool.keys() | raw_transactions().keys())

    def _sendrawtransaction(self, raw: str, allow_high_fees: bool = False) -> str:
        """Accepts what was not refused in the recording, unless ``refusal`` tells otherwise."""
        if self.refusal:
            raise RpcError(*self.refusal)
        if ("sendrawtransaction", json.dumps([raw]), "") in _recorded_calls():
            return str(self._as_recorded("sendrawtransaction", [raw]))
        try:
            wire = bytes.fromhex(raw)
        except ValueError:
            raise RpcError(DECODE_FAILED, "TX decode failed") from None
        txid = hashlib.sha256(hashlib.sha256(wire).digest()).digest()[::-1].hex()
        self.mempool[txid] = raw
        return txid


def _header_length(raw: bytes) -> int:
    """Bytes of a block's header; its solution or signature is shorter than 253 bytes or has a two-byte length."""
    fixed = _PON_HEADER if int.from_bytes(raw[:4], "little") >= _PON_VERSION else _POW_HEADER
    if raw[fixed] < 0xFD:
        return fixed + 1 + raw[fixed]
    return fixed + 3 + int.from_bytes(raw[fixed + 1 : fixed + 3], "little")
