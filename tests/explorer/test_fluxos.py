"""What FluxOS's methods answer over the recorded chain equals the daemon's own recorded answers, field by field."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from explorer.app import create_app
from tests import recorded
from tests.chain.test_pon import NETWORK
from tests.explorer.client import Client, settings
from tests.explorer.test_recorded_addresses import KNOWN_DIFFERENCES
from tests.mempool.pool import Pool, pool_at, prepared, waiting

TIP_HASH = recorded.blocks()[recorded.TIP]["hash"]
STATE = recorded.states()[TIP_HASH]
OTHERS = set(KNOWN_DIFFERENCES.values())  # addresses that we credit with outputs the daemon's index leaves out
BLOCKS = sorted({0, 1, 2, 113, 319, 452, 1799, 1800, 1801, 1850, recorded.TIP, *range(40, recorded.TIP, 97)})


def answered(client: Client, path: str) -> Any:
    """The data of a method that went well, numbers exact."""
    response = client.get(path)
    body = json.loads(response.text, parse_float=Decimal)
    assert (response.status_code, body["status"]) == (200, "success"), (path, response.text[:300])
    return body["data"]


def refused(client: Client, path: str) -> dict[str, Any]:
    """The data of an error envelope, which FluxOS sends with HTTP 200."""
    response = client.get(path)
    body = response.json()
    assert (response.status_code, body["status"]) == (200, "error"), (path, response.text[:300])
    assert set(body["data"]) == {"code", "name", "message"}
    return dict(body["data"])


def calls(method: str, *, tip_only: bool = True) -> list[tuple[list[Any], Any]]:
    """Parameters and results of recorded calls that went well at the tip."""
    return [
        (call["params"], call["response"]["result"])
        for call in recorded.rpc_calls()
        if call["method"] == method
        and call["response"]["error"] is None
        and (not tip_only or call["height"] == recorded.TIP)
    ]


def without_more(expected: Any, seen: Any) -> Any:
    """``seen`` without the addresses of inputs that the daemon's index does not know."""
    if isinstance(expected, dict) and isinstance(seen, dict):
        return {
            key: without_more(expected.get(key), value)
            for key, value in seen.items()
            if key in expected or (key, value) not in {("address", other) for other in OTHERS}
        }
    if isinstance(expected, list) and isinstance(seen, list) and len(expected) == len(seen):
        return [without_more(a, b) for a, b in zip(expected, seen, strict=True)]
    return seen


# --- nodes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["viewdeterministicfluxnodelist", "viewdeterministiczelnodelist", "listfluxnodes", "listzelnodes"]
)
def test_the_list_of_nodes_is_the_daemons(client: Client, name: str) -> None:
    assert answered(client, f"/daemon/{name}") == STATE["snapshot"]["nodes"]


def test_the_other_lists_counts_and_winners_are_the_daemons(client: Client) -> None:
    for names, state in (
        (("getfluxnodecount", "getzelnodecount"), "count"),
        (("fluxnodecurrentwinner", "zelnodecurrentwinner"), "winner"),
        (("getstartlist",), "startlist"),
        (("getdoslist",), "doslist"),
    ):
        for name in names:
            assert answered(client, f"/daemon/{name}") == STATE[state]


def test_the_list_is_filtered_as_the_daemon_does(client: Client) -> None:
    nodes = STATE["snapshot"]["nodes"]
    for text in (nodes[3]["payment_address"], nodes[5]["txhash"], nodes[7]["ip"], nodes[9]["pubkey"][:40], "nowhere"):
        wanted = [n for n in nodes if any(text in n[key] for key in ("txhash", "pubkey", "ip", "payment_address"))]
        assert answered(client, f"/daemon/viewdeterministiczelnodelist?filter={text}") == wanted
        assert answered(client, f"/daemon/viewdeterministicfluxnodelist/{text}") == wanted
    assert answered(client, "/daemon/viewdeterministicfluxnodelist?limit=2") == nodes[:2]


# The daemon's lists at these heights have nodes of every kind, on all of them.
@pytest.mark.parametrize("height", [362, 1005, 2110])
def test_the_lists_at_other_tips(mongod: str, database_name: str, height: int) -> None:
    with prepared(mongod, database_name) as store, pool_at(height, store) as pool:
        with Client(create_app(settings((mongod, database_name), daemon=pool.daemon))) as client:
            state = recorded.states()[recorded.blocks()[height]["hash"]]
            assert answered(client, "/daemon/listfluxnodes") == state["snapshot"]["nodes"]
            assert answered(client, "/daemon/getstartlist") == state["startlist"]
            assert answered(client, "/daemon/getdoslist") == state["doslist"]
            assert answered(client, "/daemon/getfluxnodecount") == state["count"]
            assert answered(client, "/daemon/fluxnodecurrentwinner") == state["winner"]
            if height > 2000:  # Proof of Node, whose rule for the next block the index can follow
                client.services.db.network = NETWORK
                following = recorded.blocks()[height + 1]["block"]["difficulty"]
                assert answered(client, "/daemon/getblockchaininfo")["difficulty"] == following


# --- blocks and transactions --------------------------------------------------------------------------------


@pytest.mark.parametrize("height", BLOCKS)
def test_blocks_are_the_daemons(client: Client, height: int) -> None:
    row = recorded.blocks()[height]
    block = answered(client, f"/daemon/getblock/{height}")
    assert without_more(row["block"], block) == row["block"]
    assert answered(client, f"/daemon/getblock?hash={row['hash']}&verbosity=1") == row["block"] | {
        "tx": [tx["txid"] for tx in row["block"]["tx"]]
    }
    assert answered(client, f"/daemon/getblock/{row['hash']}/0") == row["hex"]
    header = {k: v for k, v in row["block"].items() if k not in ("size", "tx", "anchor", "valuePools")}
    assert answered(client, f"/daemon/getblockheader/{row['hash']}") == header
    assert row["hex"].startswith(answered(client, f"/daemon/getblockheader/{row['hash']}/false"))
    assert answered(client, f"/daemon/getblockhash/{height}") == row["hash"]


def test_an_orphaned_block_is_none_of_the_chain(client: Client) -> None:
    assert refused(client, f"/daemon/getblockheader/{'0' * 64}")["code"] == -5


def test_deltas_of_blocks_are_the_daemons(client: Client) -> None:
    for (hash,), expected in calls("getblockdeltas")[::3]:
        seen = answered(client, f"/daemon/getblockdeltas/{hash}")
        for delta in seen["deltas"]:
            delta["inputs"] = [spent for spent in delta["inputs"] if not is_left_out(spent)]
        assert seen == expected


def is_left_out(spent: dict[str, Any]) -> bool:
    """Whether an input spends an output that the daemon's address index leaves out."""
    return (spent["prevtxid"], spent["prevout"]) in KNOWN_DIFFERENCES


def test_hashes_between_times_are_the_daemons(client: Client) -> None:
    active = {row["hash"] for row in recorded.blocks()}
    for (high, low, *_), expected in calls("getblockhashes"):
        hashes = [item["blockhash"] if isinstance(item, dict) else item for item in expected]
        seen = answered(client, f"/daemon/getblockhashes/{high}/{low}")
        assert seen == [hash for hash in hashes if hash in active]
    timed = answered(client, f"/daemon/getblockhashes?high={high}&low={low}&logicalTimes=true")
    assert [item["blockhash"] for item in timed] == seen


def test_transactions_are_the_daemons(client: Client) -> None:
    expected = {params[0]: tx for params, tx in calls("getrawtransaction") if len(params) > 1 and params[1] == 1}
    mined = [(txid, tx) for txid, tx in expected.items() if tx.get("height", -1) >= 0]
    for txid, tx in mined[::4]:
        seen = answered(client, f"/daemon/getrawtransaction/{txid}/1")
        assert without_more(tx, seen) == tx
        assert answered(client, f"/daemon/getrawtransaction?txid={txid}") == tx["hex"]
    assert len(mined) > 50


def test_bytes_are_decoded_as_the_daemon_does(client: Client) -> None:
    for params, tx in calls("decoderawtransaction")[::3]:
        if len(params[0]) < 6000:
            seen = answered(client, f"/daemon/decoderawtransaction?hexstring={params[0]}")
            assert without_more(tx, seen) == tx
    assert refused(client, "/daemon/decoderawtransaction/00ff")["code"] == -22


def test_outputs_are_the_daemons(client: Client) -> None:
    for params, output in calls("gettxout")[::9]:
        txid, n, *more = params
        mempool = "" if not more else f"/{str(more[0]).lower()}"
        assert answered(client, f"/daemon/gettxout/{txid}/{n}{mempool}") == output
    for (asked,), spent in calls("getspentinfo")[::4]:
        assert answered(client, f"/daemon/getspentinfo/{asked['txid']}/{asked['index']}") == spent


def test_subsidies_and_sums_are_the_daemons(client: Client) -> None:
    for height, subsidy in list(recorded.subsidies().items())[::20]:
        assert answered(client, f"/daemon/getblocksubsidy/{height}")["miner"] * 10**8 == subsidy
    sums = answered(client, "/daemon/gettxoutsetinfo")
    assert sums == {name: STATE["txoutset"][name] for name in ("height", "bestblock", "txouts", "total_amount")}


def test_the_state_of_chain_and_network_is_the_daemons(client: Client) -> None:
    (told,) = [result for _, result in calls("getinfo")][-1:]
    seen = answered(client, "/daemon/getinfo")
    assert set(seen) >= {"version", "protocolversion", "blocks", "timeoffset", "connections", "difficulty", "relayfee"}
    assert seen == {name: told[name] for name in seen}
    (chain,) = [result for _, result in calls("getblockchaininfo")][-1:]
    seen = answered(client, "/daemon/getblockchaininfo")
    del seen["difficulty"]  # of the next block: compared at the tips below
    assert seen == {name: chain[name] for name in seen}
    assert len(seen) == 7
    assert answered(client, "/daemon/getblockcount") == recorded.TIP
    assert answered(client, "/daemon/getbestblockhash") == TIP_HASH


# --- addresses ----------------------------------------------------------------------------------------------


def test_addresses_are_the_daemons(client: Client) -> None:
    for row in [row for row in recorded.addresses() if row["address"] not in OTHERS][::170]:
        address = row["address"]
        assert answered(client, f"/daemon/getaddressbalance/{address}") == row["balance"]
        assert answered(client, f"/explorer/balance/{address}") == row["balance"]["balance"]
        assert answered(client, f"/daemon/getaddresstxids?address={address}") == row["txids"]
        seen = answered(client, f"/daemon/getaddressdeltas/{address}")
        assert sorted(map(str, seen)) == sorted(map(str, row["deltas"]))
        utxos = answered(client, f"/daemon/getaddressutxos/{address}")
        assert {json.dumps(u) for u in utxos} == {json.dumps(u) for u in row["utxos"]}
        assert len(utxos) == len(row["utxos"])
        shown = answered(client, f"/explorer/utxo?address={address}")
        assert [u["confirmations"] for u in shown] == [recorded.TIP - u["height"] for u in shown]
        assert [(u["txid"], u["vout"], u["satoshis"]) for u in reversed(shown)] == [
            (u["txid"], u["outputIndex"], u["satoshis"]) for u in utxos
        ]
        history = answered(client, f"/explorer/transactions/{address}")
        assert sorted(tx["txid"] for tx in history) == sorted(row["txids"])


def test_ranges_and_several_addresses_are_the_daemons(client: Client) -> None:
    checked = 0
    for (asked,), expected in calls("getaddressdeltas"):
        if isinstance(asked, dict) and asked.get("start") and not OTHERS.intersection(asked["addresses"]):
            path = f"{','.join(asked['addresses'])}/{asked['start']}/{asked['end']}"
            if isinstance(expected, list):
                checked += 1
                assert sorted(map(str, answered(client, f"/daemon/getaddressdeltas/{path}"))) == sorted(
                    map(str, expected)
                )
    assert checked
    assert refused(client, f"/daemon/getaddressdeltas/{recorded.addresses()[0]['address']}/0/10") == {
        "code": -5, "name": "RPCError", "message": "Start and end are expected to be greater than zero",
    }  # fmt: skip


def test_addresses_are_validated_as_the_daemon_does(client: Client) -> None:
    compared = ("isvalid", "address", "scriptPubKey", "isscript", "ismine", "iswatchonly")
    for (text,), expected in calls("validateaddress")[::3]:
        response = client.get("/daemon/validateaddress", params={"zelcashaddress": text})
        seen = response.json()["data"]
        assert {k: v for k, v in seen.items() if k not in ("ismine", "iswatchonly")} == {
            k: v for k, v in expected.items() if k in compared[:4]
        }


# --- forms --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("/explorer/balance", -8, "address is missing"),
        ("/explorer/balance?address=t1nonsense", -5, "Invalid address"),
        ("/daemon/getblockhash/999999", -8, "above the tip"),
        ("/daemon/getblockhash/x", -8, "whole number"),
        ("/daemon/getblock/9999", -8, "above the tip"),
        (f"/daemon/getblock/{'0' * 64}", -5, "no block"),
        ("/daemon/getblock/1/3", -8, "expected 0, 1 or 2"),
        (f"/daemon/getrawtransaction/{'0' * 64}/1", -5, "no transaction"),
        (f"/daemon/getspentinfo/{recorded.blocks()[recorded.TIP]['block']['tx'][0]['txid']}/0", -5, "unspent"),
        ("/daemon/getblockheader/1/maybe", -5, "no block hash"),
        ("/daemon/sendrawtransaction/zz", -8, "hex"),
    ],
)
def test_errors_come_in_the_envelope(client: Client, path: str, code: int, words: str) -> None:
    error = refused(client, path)
    assert (error["code"], error["name"]) == (code, "RPCError")
    assert words in error["message"]


def test_without_a_daemon_what_needs_bytes_says_so(any_client: Client) -> None:
    assert "needs a daemon" in refused(any_client, "/daemon/getblock/5")["message"]
    assert "needs a daemon" in refused(any_client, f"/daemon/getblockheader/{TIP_HASH}")["message"]
    assert answered(any_client, "/daemon/getinfo")["blocks"] == recorded.TIP
    assert answered(any_client, "/explorer/scannedheight") == {"generalScannedHeight": recorded.TIP}
    assert "needs a daemon" in refused(any_client, "/daemon/getblockdeltas/" + TIP_HASH)["message"]


def test_answers_are_kept_for_a_tip_and_open_to_other_sites(client: Client) -> None:
    response = client.get("/daemon/listfluxnodes")
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["x-flux-height"] == str(recorded.TIP)
    known = {"If-None-Match": response.headers["etag"]}
    assert client.get("/daemon/listfluxnodes", headers=known).status_code == 304
    assert client.get("/daemon/nosuchmethod").status_code == 404


def test_the_mempool_in_the_daemons_words(mongod: str, database_name: str) -> None:
    with prepared(mongod, database_name) as store, pool_at(152, store) as pool:
        pool.hold(waiting(153))
        with Client(create_app(settings((mongod, database_name), daemon=pool.daemon))) as client:
            check_mempool(client, pool)


def check_mempool(client: Client, pool: Pool) -> None:
    """The chain of twelve that waits, each spending the one before."""
    raws = waiting(153)
    assert set(answered(client, "/daemon/getrawmempool")) == set(raws)
    verbose = answered(client, "/daemon/getrawmempool/true")
    assert {txid: entry["size"] for txid, entry in verbose.items()} == {t: len(raw) // 2 for t, raw in raws.items()}
    assert sorted(len(entry["depends"]) for entry in verbose.values()) == [0] + [1] * 11
    assert answered(client, "/daemon/getmempoolinfo") == {
        "size": 12, "bytes": sum(len(raw) // 2 for raw in raws.values()),
    }  # fmt: skip
    first, *_ = raws
    shown = answered(client, f"/daemon/getrawtransaction/{first}/1")
    assert (shown["hex"], "blockhash" in shown) == (raws[first], False)
    spent = shown["vin"][0]
    info = answered(client, f"/daemon/getspentinfo/{spent['txid']}/{spent['vout']}")
    assert info == {"txid": first, "index": 0, "height": -1}
    assert answered(client, f"/daemon/gettxout/{spent['txid']}/{spent['vout']}") is None
    assert answered(client, f"/daemon/gettxout/{spent['txid']}/{spent['vout']}/false")["value"] == spent["value"]
    deltas = answered(client, f"/daemon/getaddressmempool/{spent['address']}")
    (taken,) = [d for d in deltas if d["txid"] == first and d["satoshis"] < 0]
    assert (taken["prevtxid"], taken["prevout"]) == (spent["txid"], spent["vout"])
    pool.daemon.chain.refusal = (-26, "16: bad-txns")
    assert refused(client, f"/daemon/sendrawtransaction?hexstring={raws[first]}")["code"] == -26
    pool.daemon.chain.refusal = None
    assert client.post(f"/daemon/sendrawtransaction/{raws[first]}").json() == {"status": "success", "data": first}
