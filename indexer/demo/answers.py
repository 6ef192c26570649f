"""What the simulated daemon answers: its JSON-RPC methods over the demo chain and mempool."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from indexer.chain.keys import hash_text, is_coinbase, parse_hash
from indexer.chain.pon import difficulty
from indexer.chain.subsidy import block_subsidy
from indexer.daemonjson.scripts import script_json
from indexer.daemonjson.transactions import transaction_json
from indexer.daemonjson.words import coins, outpoint_words, pools_json
from indexer.demo.builder import Builder, transactions_of
from indexer.demo.chain import Place
from indexer.demo.lists import NodeAnswers
from indexer.demo.rules import DECODE_FAILED, RpcError
from indexer.errors import ParseError
from indexer.parse import parse_transaction
from indexer.parse.columns import ParsedBlock, ints

NOT_FOUND, BAD_PARAMETER, NO_METHOD, MISC_ERROR = -5, -8, -32601, -1
VERSION, PROTOCOL, SUBVERSION = 9_000_650, 170_021, "/Simulated:9.0.6/"
CONNECTIONS = 8
HASH_DIGITS = 64
WORK_OF_A_BLOCK = 1 << 40


class Answers:
    """The methods by name; the caller holds the lock while one of them works."""

    def __init__(
        self,
        builder: Builder,
        sent: Callable[[bytes], object] = lambda raw: None,
        control: Mapping[str, Callable[..., Any]] | None = None,
    ) -> None:
        """``sent`` is told of each transaction that came by sendrawtransaction; ``control`` are methods more."""
        self._builder, self._chain, self._mempool = builder, builder.chain, builder.mempool
        self._sent = sent
        self._methods: dict[str, Callable[..., Any]] = {
            "getblockcount": lambda: self._chain.height,
            "getbestblockhash": lambda: hash_text(self._chain.tip.hash),
            "getblockhash": self._block_hash,
            "getblock": self._block,
            "getblockheader": self._block_header,
            "getblockchaininfo": self._chain_state,
            "getnetworkinfo": self._network_state,
            "getconnectioncount": lambda: CONNECTIONS,
            "getdifficulty": self._difficulty,
            "getblocksubsidy": self._subsidy,
            "getinfo": self._overview,
            "getrawmempool": self._raw_mempool,
            "getmempoolinfo": self._mempool_size,
            "getrawtransaction": self._raw_transaction,
            "decoderawtransaction": self._decode,
            "sendrawtransaction": self._send,
            "gettxout": self._output,
            "gettxoutsetinfo": self._output_set,
            **NodeAnswers(self._chain).methods(),
            **(control or {}),
        }

    def __call__(self, method: str, params: Sequence[Any]) -> Any:
        """The result of a method; RpcError as the daemon would refuse."""
        if method not in self._methods:
            raise RpcError(NO_METHOD, "Method not found")
        return self._methods[method](*params)

    # -- blocks

    def _block_hash(self, height: int) -> str:
        if not isinstance(height, int) or isinstance(height, bool):
            raise RpcError(MISC_ERROR, "JSON value is not an integer as expected")
        if not 0 <= height <= self._chain.height:
            raise RpcError(BAD_PARAMETER, "Block height out of range")
        return hash_text(self._chain.active[height].hash)

    def _place(self, wanted: str) -> Place:
        if not isinstance(wanted, str):
            raise RpcError(MISC_ERROR, "JSON value is not a string as expected")
        if len(wanted) < HASH_DIGITS:
            if not wanted.isdecimal() or int(wanted) > self._chain.height:
                raise RpcError(BAD_PARAMETER, "Block height out of range")
            return self._chain.active[int(wanted)]
        try:
            return self._chain.by_hash[parse_hash(wanted)]
        except (KeyError, ValueError):
            raise RpcError(NOT_FOUND, "Block not found") from None

    def _active(self, place: Place) -> bool:
        return place.height <= self._chain.height and self._chain.active[place.height].hash == place.hash

    def _block(self, wanted: str, verbosity: int = 1) -> Any:
        place = self._place(wanted)
        if int(verbosity) not in (0, 1, 2):
            raise RpcError(BAD_PARAMETER, "Verbosity must be in range from 0 to 2")
        if not verbosity:
            return self._chain.raw(place).hex()
        block = self._chain.parsed(place)
        shown = self._header_json(place, block)
        shown["size"] = place.size
        if place == self._chain.tip:  # the pools below it are not kept
            shown["valuePools"] = pools_json(self._pools())
        if int(verbosity) == 1:
            shown["tx"] = [hash_text(block.txid(index)) for index in range(block.tx_count)]
        else:
            txs = map(parse_transaction, transactions_of(block))
            shown["tx"] = [transaction_json(self._chain.network, tx) for tx in txs]
        return shown

    def _block_header(self, wanted: str, verbose: bool = True) -> Any:
        place = self._place(wanted)
        block = self._chain.parsed(place)
        if verbose:
            return self._header_json(place, block)
        first = ints(block.tx_start, "I")[0]
        return block.raw[: first - (1 if block.tx_count < 0xFD else 3)].hex()

    def _header_json(self, place: Place, block: ParsedBlock) -> dict[str, Any]:
        active = self._active(place)
        shown: dict[str, Any] = {
            "hash": hash_text(place.hash),
            "confirmations": self._chain.height - place.height + 1 if active else -1,
            "height": place.height,
            "version": block.version,
            "merkleroot": hash_text(block.merkle_root),
            "finalsaplingroot": hash_text(block.sapling_root),
            "time": block.time,
        }
        if block.pon:
            shown |= {"type": "PON", "collateral": outpoint_words(block.producer, 10), "blocksig": block.proof.hex()}
        else:
            shown |= {"type": "POW", "nonce": hash_text(block.nonce), "solution": block.proof.hex()}
        shown |= {"bits": f"{block.bits:08x}", "difficulty": difficulty(self._chain.network, block.bits)}
        shown["chainwork"] = f"{(place.height + 1) * WORK_OF_A_BLOCK:064x}"
        if place.height:
            shown["previousblockhash"] = hash_text(place.prev_hash)
        if active and place.height < self._chain.height:
            shown["nextblockhash"] = hash_text(self._chain.active[place.height + 1].hash)
        return shown

    # -- the state of chain and network

    def _difficulty(self) -> float:
        return difficulty(self._chain.network, self._chain.tip.bits)

    def _pools(self) -> dict[str, int]:
        return {"sprout": self._chain.sprout, "sapling": self._chain.sapling}

    def _chain_state(self) -> dict[str, Any]:
        height, tip = self._chain.height, self._chain.tip
        return {
            "chain": self._chain.network.name,
            "blocks": height,
            "headers": height,
            "bestblockhash": hash_text(tip.hash),
            "difficulty": self._difficulty(),
            "verificationprogress": 1.0,
            "chainwork": f"{(height + 1) * WORK_OF_A_BLOCK:064x}",
            "pruned": False,
            "size_on_disk": tip.at + tip.size,
            "commitments": 0,
            "valuePools": pools_json(self._pools()),
            "softforks": [],
            "upgrades": {},
            "consensus": {"chaintip": "76b809bb", "nextblock": "76b809bb"},
            "simulated": True,
        }

    def _network_state(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "subversion": SUBVERSION,
            "protocolversion": PROTOCOL,
            "localservices": "0000000000000005",
            "timeoffset": 0,
            "connections": CONNECTIONS,
            "networks": [],
            "relayfee": coins(100),
            "localaddresses": [],
            "warnings": "This daemon and its chain are simulated.",
        }

    def _overview(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "protocolversion": PROTOCOL,
            "blocks": self._chain.height,
            "timeoffset": 0,
            "connections": CONNECTIONS,
            "proxy": "",
            "difficulty": self._difficulty(),
            "testnet": False,
            "relayfee": coins(100),
            "errors": "",
        }

    def _subsidy(self, height: int | None = None) -> dict[str, Any]:
        at = self._chain.height if height is None else height
        if at < 0:
            raise RpcError(BAD_PARAMETER, "Block height out of range")
        return {"miner": coins(block_subsidy(self._chain.network, at))}

    # -- transactions

    def _raw_mempool(self, verbose: bool = False) -> Any:
        entries = self._mempool.entries
        if not verbose:
            return [hash_text(txid) for txid in entries]
        return {
            hash_text(txid): {
                "size": len(entry.tx.raw),
                "fee": coins(entry.fee),
                "time": entry.time,
                "height": entry.height,
                "startingpriority": 0.0,
                "currentpriority": 0.0,
                "depends": [hash_text(parent) for parent in entry.depends if parent in entries],
            }
            for txid, entry in entries.items()
        }

    def _mempool_size(self) -> dict[str, int]:
        size = sum(len(entry.tx.raw) for entry in self._mempool.entries.values())
        return {"size": len(self._mempool.entries), "bytes": size, "usage": 3 * size}

    def _raw_transaction(self, txid: str, verbose: int = 0) -> Any:
        if isinstance(verbose, bool):
            raise RpcError(MISC_ERROR, "JSON value is not an integer as expected")
        try:
            wanted = parse_hash(txid)
        except ValueError:
            raise RpcError(BAD_PARAMETER, f"parameter 1 must be hexadecimal string (not '{txid}')") from None
        raw, place = self._find(wanted)
        if not verbose:
            return raw.hex()
        shown = {"hex": raw.hex(), **transaction_json(self._chain.network, parse_transaction(raw))}
        if place is not None:
            confirmations = self._chain.height - place.height + 1
            shown |= {"blockhash": hash_text(place.hash), "height": place.height, "confirmations": confirmations}
            shown |= {"time": place.time, "blocktime": place.time}
        return shown

    def _find(self, txid: bytes) -> tuple[bytes, Place | None]:
        if txid in self._mempool.entries:
            return self._mempool.entries[txid].tx.raw, None
        if txid not in self._chain.transactions:
            raise RpcError(NOT_FOUND, "No information available about transaction")
        height, index = self._chain.transactions[txid]
        place = self._chain.active[height]
        return transactions_of(self._chain.parsed(place))[index], place

    def _decode(self, text: str) -> dict[str, Any]:
        try:
            return transaction_json(self._chain.network, parse_transaction(_bytes(text)))
        except ParseError:
            raise RpcError(DECODE_FAILED, "TX decode failed") from None

    def _send(self, text: str, allow_high_fees: bool = False) -> str:
        raw = _bytes(text)
        txid = self._mempool.accept(raw)
        self._sent(raw)
        return hash_text(txid)

    def _output(self, txid: str, n: int, include_mempool: bool = True) -> dict[str, Any] | None:
        point = parse_hash(txid) + n.to_bytes(4, "big")
        coin = self._mempool.coin(point) if include_mempool else self._chain.coins.get(point)
        if coin is None:
            return None
        raw, place = self._find(point[:32])
        tx = parse_transaction(raw)
        start, size = ints(tx.script_start, "I")[n], ints(tx.script_size, "I")[n]
        return {
            "bestblock": hash_text(self._chain.tip.hash),
            "confirmations": self._chain.height - place.height + 1 if place else 0,
            "value": coins(coin.value),
            "scriptPubKey": script_json(self._chain.network, raw[start : start + size]),
            "version": tx.header & 0x7FFFFFFF,
            "coinbase": coin.outkey >= 0 and is_coinbase(coin.outkey),
        }

    def _output_set(self) -> dict[str, Any]:
        unspent = self._chain.coins
        return {
            "height": self._chain.height,
            "bestblock": hash_text(self._chain.tip.hash),
            "transactions": len({point[:32] for point in unspent}),
            "txouts": len(unspent),
            "bytes_serialized": 60 * len(unspent),
            "hash_serialized": hash_text(bytes(32)),
            "total_amount": coins(sum(coin.value for coin in unspent.values())),
        }


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except (TypeError, ValueError):
        raise RpcError(DECODE_FAILED, "TX decode failed") from None
