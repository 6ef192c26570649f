"""Every recorded block and transaction through the API equals what the daemon answered."""

from __future__ import annotations

from typing import Any

import pytest

from indexer.chain.hashes import sha256d
from indexer.chain.keys import hash_text, outpoint_text, parse_outpoint
from tests import recorded
from tests.explorer.client import Client

STEP = 97  # blocks asked in between for one by one; lists are read whole
EVENTS = {"Starting a fluxnode": "start", "Confirming a fluxnode": "confirm"}


def zatoshi(text: str) -> int:
    """An amount of the API in zatoshi."""
    whole, _, rest = text.partition(".")
    assert len(rest) == 8
    return int(whole + rest)


def expected_block(block: dict[str, Any]) -> dict[str, Any]:
    """What the API must say of a block, from the daemon's ``getblock 2``."""
    own = {
        "hash": "hash", "height": "height", "confirmations": "confirmations", "size": "size", "version": "version",
        "merkle_root": "merkleroot", "time": "time", "bits": "bits", "previous_hash": "previousblockhash",
        "next_hash": "nextblockhash",
    }  # fmt: skip
    expected = {name: block.get(theirs) for name, theirs in own.items()}
    kinds = [kind(tx) for tx in block["tx"]]
    return expected | {
        "type": block["type"].lower(),
        "difficulty": float(block["difficulty"]),
        "transaction_count": len(block["tx"]),
        "counts": {name: kinds.count(name) for name in ("coinbase", "transfer", "node_start", "node_confirm")},
    }


def kind(tx: dict[str, Any]) -> str:
    """The API's word for a kind of transaction."""
    if "vin" not in tx:
        return "node_start" if tx["type"] == "Starting a fluxnode" else "node_confirm"
    return "coinbase" if tx["vin"] and "coinbase" in tx["vin"][0] else "transfer"


def expected_transaction(tx: dict[str, Any]) -> dict[str, Any]:
    """What the API must say of a transaction, from the daemon's object."""
    expected: dict[str, Any] = {"txid": tx["txid"], "version": tx["version"], "type": kind(tx)}
    if "vin" not in tx:
        return expected | {"lock_time": None, "expiry_height": None, "fee": None, "inputs": [], "outputs": []}
    return expected | {
        "lock_time": tx["locktime"],
        "expiry_height": tx.get("expiryheight"),
        "coinbase": tx["vin"][0].get("coinbase") if tx["vin"] else None,
        "inputs": [f"{i['txid']}:{i['vout']}" for i in tx["vin"] if "txid" in i],
        "outputs": [expected_output(o) for o in tx["vout"]],
        "shielded": expected_shielded(tx),
    }


def expected_output(output: dict[str, Any]) -> tuple[int, int, str, str | None]:
    """Number, zatoshi, script type and address of an output; several keys of a multisig are no address."""
    script = output["scriptPubKey"]
    single = script["type"] in ("pubkeyhash", "scripthash", "pubkey")
    address = script.get("addresses", [None])[0] if single else None
    return output["n"], output["valueZat"], script["type"], address


def expected_shielded(tx: dict[str, Any]) -> dict[str, Any] | None:
    """The shielded part, None without one."""
    joinsplits = tx.get("vJoinSplit", [])
    counts = (len(joinsplits), len(tx.get("vShieldedSpend", [])), len(tx.get("vShieldedOutput", [])))
    balance = tx.get("valueBalanceZat", 0)
    if not any(counts) and not balance:
        return None
    return {
        "sprout_in": sum(j["vpub_oldZat"] for j in joinsplits),
        "sprout_out": sum(j["vpub_newZat"] for j in joinsplits),
        "sapling_value_balance": balance,
        "joinsplits": counts[0], "spends": counts[1], "outputs": counts[2],
    }  # fmt: skip


def seen_transaction(tx: dict[str, Any]) -> dict[str, Any]:
    """What the API says of a transaction, in the form of ``expected_transaction``."""
    seen = {name: tx[name] for name in ("txid", "version", "type", "lock_time", "expiry_height")}
    if tx["node"] is not None:
        return seen | {"fee": tx["fee"], "inputs": tx["inputs"], "outputs": tx["outputs"]}
    amounts = ("sprout_in", "sprout_out", "sapling_value_balance")
    shielded = tx["shielded"]
    return seen | {
        "coinbase": tx["coinbase"],
        "inputs": [i["outpoint"] for i in tx["inputs"]],
        "outputs": [(o["n"], zatoshi(o["value"]), o["script_type"], o["address"]) for o in tx["outputs"]],
        "shielded": shielded and shielded | {name: zatoshi(shielded[name]) for name in amounts},
    }


def expected_node(tx: dict[str, Any]) -> dict[str, Any]:
    """What the API must say of a node transaction as far as the daemon's object tells."""
    update = tx.get("update_type") == 1
    return {
        "node": f"{tx['txhash']}:{tx['outidx']}",
        "event": "update" if update else EVENTS[tx["type"]],
        "signed_at": tx["sigtime"],
        "benchmark_signed_at": tx.get("benchmark_sigtime"),
        "ip": tx["ip"] or None,
    }


def test_blocks_equal_the_daemons(client: Client) -> None:
    for row in [*recorded.blocks()[::7], *recorded.blocks()[-2:]]:
        body = client.json(f"/api/v1/blocks/{row['height']}")
        expected = expected_block(row["block"])
        assert {name: body[name] for name in expected} == expected


def test_list_of_blocks_equals_the_daemons(client: Client) -> None:
    items = client.pages("/api/v1/blocks", 701)
    for item, row in zip(items, reversed(recorded.blocks()), strict=True):
        expected = expected_block(row["block"])
        listed = expected.keys() & item.keys()
        assert {n: item[n] for n in listed} == {n: expected[n] for n in listed}


def test_blocks_by_hash_are_those_by_height(client: Client) -> None:
    for row in recorded.blocks()[::STEP]:
        assert client.json(f"/api/v1/blocks/{row['hash']}") == client.json(f"/api/v1/blocks/{row['height']}")


@pytest.mark.parametrize("height", range(0, recorded.TIP + 1, 480))
def test_every_transaction_equals_the_daemons(client: Client, height: int) -> None:
    for row in recorded.blocks()[height : height + 480]:
        items = client.json(f"/api/v1/blocks/{row['height']}/transactions?limit=1000")["items"]
        for tx, item in zip(row["block"]["tx"], items, strict=True):
            if row["height"] == 0:  # the daemon never credits the genesis output
                assert item["outputs"][0]["address"] is None
                continue
            assert seen_transaction(item) == expected_transaction(tx)
            if item["node"] is not None:
                node = expected_node(tx)
                assert {name: item["node"][name] for name in node} == node


def test_fees_and_coinbase_values_follow_from_the_outputs(client: Client) -> None:
    values: dict[str, int] = {}
    for row in recorded.blocks()[:340]:
        items = client.json(f"/api/v1/blocks/{row['height']}/transactions?limit=1000")["items"]
        for item in items:
            values |= {f"{item['txid']}:{o['n']}": zatoshi(o["value"]) for o in item["outputs"]}
            assert [zatoshi(i["value"]) for i in item["inputs"]] == [values[i["outpoint"]] for i in item["inputs"]]
        block = client.json(f"/api/v1/blocks/{row['height']}")
        fees = sum(zatoshi(item["fee"]) for item in items if item["fee"])
        assert zatoshi(block["fees"]) == fees
        if row["height"]:
            assert zatoshi(block["coinbase_value"]) == sum(zatoshi(o["value"]) for o in items[0]["outputs"])


def positions(*, of: str) -> dict[str, list[tuple[int, int]]]:
    """Where each transaction was mined, by id: ``txid``, or the id over the full bytes of node transactions."""
    found: dict[str, list[tuple[int, int]]] = {}
    for row in recorded.blocks():
        for index, tx in enumerate(row["block"]["tx"]):
            if of == "txid" or "vin" not in tx:
                found.setdefault(tx["txid"], []).append((row["height"], index))
    return found


def test_transactions_are_found_by_their_id_with_what_spends_them(client: Client) -> None:
    spends = {
        (i["txid"], i["vout"]): {"txid": tx["txid"], "n": n, "height": row["height"]}
        for row in recorded.blocks()
        for tx in row["block"]["tx"]
        for n, i in enumerate(tx.get("vin", ()))
        if "txid" in i
    }
    places = positions(of="txid")
    for txid, mined in list(places.items())[::17]:
        body = client.json(f"/api/v1/transactions/{txid}")
        assert (body["block"]["height"], body["block"]["index"]) == mined[-1]
        assert [(p["height"], p["index"]) for p in body["also_in"]] == mined[:-1]
        assert body["block"]["hash"] == recorded.blocks()[mined[-1][0]]["hash"]
        assert [o["spent_by"] for o in body["outputs"]] == [spends.get((txid, o["n"])) for o in body["outputs"]]


def test_a_node_transaction_mined_more_than_once_names_all_its_places(client: Client) -> None:
    repeated = {txid: mined for txid, mined in positions(of="txid").items() if len(mined) > 1}
    assert sorted(height for mined in repeated.values() for height, _ in mined) == [
        1255, 1258, 1385, 1510, 1673, 1677, 2185,
    ]  # fmt: skip
    for txid, mined in repeated.items():
        body = client.json(f"/api/v1/transactions/{txid}")
        seen = [*body["also_in"], {"height": body["block"]["height"], "index": body["block"]["index"]}]
        assert [(p["height"], p["index"]) for p in seen] == mined


def node_transactions(height: int) -> list[tuple[int, bytes]]:
    """Position and full bytes of the node transactions of a recorded block."""
    from indexer.parse.columns import NODE_START, ints
    from tests.indexed import parsed

    block = parsed(recorded.blocks()[height]["hash"])
    starts = ints(block.tx_start, "I")
    return [(i, block.raw[starts[i] : starts[i + 1]]) for i, k in enumerate(block.kinds) if k >= NODE_START]


@pytest.mark.parametrize("height", [415, 480, 1330, 1845])
def test_full_bytes_ids_of_node_transactions_are_accepted(client: Client, height: int) -> None:
    for index, raw in node_transactions(height):
        body = client.json(f"/api/v1/transactions/{hash_text(sha256d(raw))}")
        assert (body["block"]["height"], body["block"]["index"]) == (height, index)
        assert body == client.json(f"/api/v1/transactions/{body['txid']}") | {"also_in": []}


def test_without_a_daemon_only_starts_are_found_by_full_bytes(any_client: Client) -> None:
    seen = set()
    for _, raw in node_transactions(415):
        is_start = raw[4] == 2
        response = any_client.get(f"/api/v1/transactions/{hash_text(sha256d(raw))}")
        assert response.status_code == (200 if is_start else 503)
        seen.add(is_start)
    assert False in seen


@pytest.mark.parametrize("height", [0, 113, 1850, 2400])
def test_raw_bytes_are_the_daemons(client: Client, height: int) -> None:
    row = recorded.blocks()[height]
    response = client.get(f"/api/v1/blocks/{row['hash']}/raw")
    assert response.json()["hex"] == row["hex"]
    assert ("immutable" in response.headers["cache-control"]) == (recorded.TIP - height + 1 >= 100)
    for tx in row["block"]["tx"]:
        assert client.json(f"/api/v1/transactions/{tx['txid']}/raw")["hex"] in row["hex"]


def test_the_sum_of_what_was_issued_is_that_of_the_coinbases(client: Client) -> None:
    issued = 0
    for row in recorded.blocks()[:900]:
        block = client.json(f"/api/v1/blocks/{row['height']}")
        issued += zatoshi(block["coinbase_value"]) - zatoshi(block["fees"])
        assert zatoshi(block["issued"]) == issued
        claimed = zatoshi(block["coinbase_value"]) + zatoshi(block["unclaimed_here"])
        one_offs = sum(zatoshi(f["amount"]) for f in block["funds"] if f["name"] not in ("dev_fund", "miner", "other"))
        assert claimed == zatoshi(block["subsidy"]) + zatoshi(block["fees"]) + one_offs


def test_payouts_name_the_winners_of_the_state_before(client: Client) -> None:
    for height in range(401, recorded.TIP, 23):
        before = recorded.states()[recorded.blocks()[height - 1]["hash"]]["winner"]
        block = client.json(f"/api/v1/blocks/{height}")
        assert block["payouts_checked"]
        assert {p["tier"]: (p["node"], p["address"]) for p in block["payouts"]} == winners(before)
        for payout in block["payouts"]:
            assert payout["matched"] == (payout["vout"] is not None)


def winners(state: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """By tier, outpoint and address of ``fluxnodecurrentwinner``."""
    found = {}
    for name, winner in state.items():
        tier = name.split()[0].lower()
        node = outpoint_text(parse_outpoint(winner["collateral"]) or b"")
        found[tier] = (node, winner["payment_address"])
    return found
