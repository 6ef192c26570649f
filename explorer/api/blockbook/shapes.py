"""Result objects as Blockbook writes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from explorer.api.json import to_json
from explorer.queries.coins import Coin
from explorer.queries.results import Input, Output, Spend, Transaction
from explorer.queries.scripts import Scripts
from explorer.queries.text import pushed
from indexer.chain.keys import outpoint_text
from indexer.chain.params import Network
from indexer.parse.inputs import SignedInput, signed_inputs

Json = dict[str, Any]

IN_MEMPOOL = -1  # the height of what is in no block
OP_RETURN = "OP_RETURN"


def without_empty(fields: Mapping[str, Any]) -> Json:
    """The fields that say something: neither None nor an empty list or text."""
    return {name: value for name, value in fields.items() if value is not None and value != [] and value != ""}


def transaction_shape(found: Transaction, scripts: Scripts, raw: bytes | None = None) -> Json:
    """A transaction; with its serialized bytes also ``hex``, and the sequence numbers of its inputs."""
    signed = () if raw is None else signed_inputs(raw)
    spent, made = (sum(part.value for part in parts) for parts in (found.inputs, found.outputs))
    shown = {
        "txid": found.txid,
        "version": found.version,
        "lockTime": found.lock_time or None,
        "vin": list(_inputs(found, signed)),
        "vout": list(_outputs(found.outputs, scripts.get(found.txid, ()))),
        "blockHash": found.block.hash if found.block else None,
        "blockHeight": found.block.height if found.block else IN_MEMPOOL,
        "confirmations": found.confirmations,
        "blockTime": found.block.time if found.block else found.first_seen,
        "size": found.size,
        "value": str(made),
        "valueIn": str(spent),
        "fees": str(found.fee or 0),
        "hex": None if raw is None else raw.hex(),
        "coinSpecificData": None if found.node is None else to_json(found.node),
    }
    return {name: value for name, value in shown.items() if value is not None}


def _inputs(found: Transaction, signed: Sequence[SignedInput]) -> Iterator[Json]:
    if found.coinbase is not None:
        yield without_empty({"n": 0, "sequence": _sequence(signed, 0), "isAddress": False, "coinbase": found.coinbase})
    for n, spent in enumerate(found.inputs):
        yield _input(spent, n, _sequence(signed, n))


def _sequence(signed: Sequence[SignedInput], n: int) -> int | None:
    return signed[n].sequence if n < len(signed) else None


def _input(spent: Input, n: int, sequence: int | None) -> Json:
    txid, _, vout = spent.outpoint.partition(":")
    shown = without_empty({"txid": txid, "vout": int(vout), "sequence": sequence, "n": n})
    return shown | {"addresses": _addresses(spent.address), "isAddress": bool(spent.address), "value": str(spent.value)}


def _addresses(address: str | None) -> list[str]:
    return [address] if address else []


def _outputs(outputs: Iterable[Output], scripts: Sequence[bytes]) -> Iterator[Json]:
    for output in outputs:
        script = scripts[output.n] if output.n < len(scripts) else None
        spend = output.spent_by if isinstance(output.spent_by, Spend) else None
        shown = {
            "value": str(output.value),
            "n": output.n,
            "spent": True if spend else None,
            "spentTxId": spend.txid if spend else None,
            "spentIndex": spend.n if spend else None,
            "spentHeight": spend.height if spend else None,
            "hex": None if script is None else script.hex(),
        }
        named = [op_return(script)] if script is not None and output.script_type == "nulldata" else None
        addresses = _addresses(output.address) if named is None else named
        yield without_empty(shown) | {"addresses": addresses, "isAddress": output.address is not None}


def op_return(script: bytes) -> str:
    """A nulldata script as the word that clients look for, with the text in it, or what it pushes in hex."""
    try:
        pushes = pushed(script)
    except ValueError:
        return f"{OP_RETURN} {script[1:].hex()}".rstrip()
    try:
        return f"{OP_RETURN} ({pushes.decode()})" if pushes else OP_RETURN
    except UnicodeDecodeError:
        return f"{OP_RETURN} {pushes.hex()}"


def coin_shape(coin: Coin, address: str, network: Network) -> Json:
    """An unspent output; a coinbase's is marked while it is immature."""
    txid, _, vout = outpoint_text(coin.outpoint).partition(":")
    immature = coin.coinbase and coin.confirmations < network.coinbase_maturity
    shown = {
        "txid": txid,
        "vout": int(vout),
        "value": str(coin.value),
        "height": coin.height,
        "confirmations": coin.confirmations,
        "address": address,
        "lockTime": coin.lock_time or None,
        "coinbase": True if immature else None,
    }
    return {name: value for name, value in shown.items() if value is not None}
