"""What Insight's clients ask, over the recorded chain: shapes, exact amounts, agreement with the daemon."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest

from explorer.app import create_app
from tests import recorded
from tests.explorer.client import Client, settings
from tests.explorer.test_fluxos import OTHERS, STATE, TIP_HASH, calls
from tests.explorer.test_routes import UNUSED
from tests.replay_daemon import ReplayDaemon

SAMPLED = [row for row in recorded.addresses() if row["address"] not in OTHERS][::170]
BUSY = max(recorded.addresses(), key=lambda row: len(row["txids"]))
HEIGHTS = (1, 113, 319, 452, 1799, 1850, recorded.TIP)


def asked(client: Client, path: str, **more: Any) -> Any:
    """The body of an answer, numbers exact."""
    response = client.request(more.pop("verb", "GET"), path, **more)
    assert response.status_code == 200, (path, response.status_code, response.text[:300])
    assert response.headers["access-control-allow-origin"] == "*"
    return json.loads(response.text, parse_float=Decimal)


# --- what the daemon has too ----------------------------------------------------------------------------------


def test_node_lists_are_the_daemons(client: Client) -> None:
    nodes = STATE["snapshot"]["nodes"]
    for prefix in ("/api/fluxnode", "/api/zelnode", "/insight-api/fluxnode"):
        assert asked(client, f"{prefix}/listfluxnodes") == {"result": nodes, "error": None, "id": 1}
        assert asked(client, f"{prefix}/doslist")["result"] == STATE["doslist"]
        assert asked(client, f"{prefix}/startlist")["result"] == STATE["startlist"]
    assert asked(client, "/api/status?q=getFluxNodes") == {"fluxNodes": nodes}
    assert asked(client, "/api/status?q=getZelNodes") == {"zelNodes": nodes}


def test_whole_lists_are_sent_as_they_were_packed(client: Client) -> None:
    for path in ("/api/fluxnode/listfluxnodes", "/api/status?q=getFluxNodes", "/daemon/listfluxnodes"):
        packed = client.get(path, headers={"Accept-Encoding": "gzip"})
        plain = client.get(path, headers={"Accept-Encoding": "identity"})
        assert (packed.headers["content-encoding"], "content-encoding" in plain.headers) == ("gzip", False)
        assert packed.content == plain.content
        assert int(packed.headers["content-length"]) < len(plain.content) == int(plain.headers["content-length"])


def test_the_filter_of_the_node_list(client: Client) -> None:
    nodes = STATE["snapshot"]["nodes"]
    one, other = nodes[2], nodes[5]
    for text, wanted in (
        (f"{one['txhash']}-{one['outidx']}", [one]),
        (f"{other['ip']}", [n for n in nodes if n["ip"] == other["ip"]]),
        (other["ip"].partition(":")[0], []),  # a whole ip, port and all, or nothing
        (one["payment_address"], [n for n in nodes if n["payment_address"] == one["payment_address"]]),
        (f"{one['pubkey']},{other['pubkey']}", [n for n in nodes if n["pubkey"] in (one["pubkey"], other["pubkey"])]),
        ("nowhere", []),
    ):
        assert asked(client, f"/api/fluxnode/listfluxnodes/{text}")["result"] == wanted
        posted = asked(client, "/api/fluxnode/listfluxnodes", verb="POST", json={"filter": text})
        assert posted["result"] == wanted
    assert asked(client, "/api/fluxnode/listfluxnodes", verb="POST", json={})["result"] == nodes


@pytest.mark.parametrize("height", HEIGHTS)
def test_blocks_are_the_daemons(client: Client, height: int) -> None:
    row = recorded.blocks()[height]
    told, block = row["block"], asked(client, f"/api/block/{row['hash']}")
    for name in ("hash", "size", "height", "version", "merkleroot", "time", "bits", "difficulty", "confirmations",
                 "chainwork", "previousblockhash", "nextblockhash", "nonce", "solution"):  # fmt: skip
        assert block.get(name) == told.get(name), name
    assert block["tx"] == [tx["txid"] for tx in told["tx"]]
    assert (block["isMainChain"], block["isPON"]) == (True, told["type"] == "PON")
    assert block["reward"] * 10**8 == recorded.subsidies().get(height, block["reward"] * 10**8)
    if block["isPON"]:
        collateral = block["nodesCollateral"]
        assert told["collateral"] == f"COutPoint({collateral['hash'][:10]}, {collateral['index']})"
        assert block["blockSignature"] == told["blocksig"]
    assert asked(client, f"/api/rawblock/{height}") == {"rawblock": row["hex"]}
    assert asked(client, f"/api/block-index/{height}") == {"blockHash": row["hash"]}
    pages = [asked(client, f"/api/txs?block={row['hash']}&pageNum={n}") for n in range(-(-len(block["tx"]) // 10))]
    assert [tx["txid"] for page in pages for tx in page["txs"]] == block["tx"]
    assert {page["pagesTotal"] for page in pages} == {len(pages)}


def transfers() -> list[dict[str, Any]]:
    """Recorded transactions of all layouts, by the daemon at the tip."""
    found = [tx for row in recorded.blocks() for tx in row["block"]["tx"][1:] if "vin" in tx]
    shielded = [tx for tx in found if tx["vJoinSplit"] or tx.get("vShieldedOutput") or tx.get("vShieldedSpend")]
    return shielded + found[::60]


def test_transactions_are_the_daemons(client: Client) -> None:
    assert {tx["version"] for tx in transfers()} == {1, 2, 4}
    for told in transfers():
        check_transaction(asked(client, f"/api/tx/{told['txid']}"), told)


def check_transaction(tx: dict[str, Any], told: dict[str, Any]) -> None:
    """A transfer against the daemon's words."""
    assert (tx["txid"], tx["version"], tx["locktime"]) == (told["txid"], told["version"], told["locktime"])
    for spent, theirs in zip(tx["vin"], told["vin"], strict=True):
        assert {name: spent[name] for name in ("txid", "vout", "sequence", "scriptSig", "valueSat")} == {
            name: theirs[name] for name in ("txid", "vout", "sequence", "scriptSig", "valueSat")
        }
        assert spent["value"] == theirs["value"]
        assert spent.get("addr") == theirs.get("address") or spent["addr"] in OTHERS
    for output, theirs in zip(tx["vout"], told["vout"], strict=True):
        assert Decimal(output["value"]) == theirs["value"]
        assert re.fullmatch(r"\d+\.\d{8}", output["value"])
        script, words = output["scriptPubKey"], theirs["scriptPubKey"]
        assert (script["hex"], script["asm"]) == (words["hex"], words["asm"])
        if "addresses" in script:
            assert script["addresses"] == words["addresses"]
        spender = {name: theirs.get(name) for name in ("spentTxId", "spentIndex", "spentHeight")}
        assert {name: output[name] for name in spender} == spender
    assert tx.get("vjoinsplit", []) == [
        {"vpub_old": f"{j['vpub_old']:.8f}", "vpub_new": f"{j['vpub_new']:.8f}", "n": n}
        for n, j in enumerate(told["vJoinSplit"])
    ]
    if told["overwintered"]:
        assert (tx["nVersionGroupId"], tx["nExpiryHeight"]) == (told["versiongroupid"], told["expiryheight"])
        assert (tx["valueBalance"], tx["spendDescs"]) == (told["valueBalance"], told["vShieldedSpend"])
    assert tx["valueOut"] == sum(output["value"] for output in told["vout"])
    assert tx["valueIn"] == sum(spent["value"] for spent in told["vin"])


def test_node_transactions_have_neither_inputs_nor_outputs(client: Client) -> None:
    events = [tx for row in recorded.blocks() for tx in row["block"]["tx"] if "vin" not in tx]
    for told in events[::40]:
        tx = asked(client, f"/api/tx/{told['txid']}")
        assert not {"vin", "vout", "valueIn", "fees"} & set(tx)
        assert (tx["type"], tx["sigTime"]) == (told["type"], told["sigtime"])
        assert tx["collateralOutput"] == told["collateral"]
        assert (tx["collateralOutputHash"], str(tx["collateralOutputIndex"])) == (told["txhash"], told["outidx"])
        assert tx["sig"] == told["sig"]
        if tx["nType"] == 4:
            assert (tx["ip"], tx["updateType"], tx["benchmarkSig"]) == (
                told["ip"], told["update_type"], told["benchmark_sig"],
            )  # fmt: skip
        else:
            assert tx["zelnodePubKey"] == tx["fluxnodePubKey"] == told["zelnode_pubkey"]


def test_addresses_are_the_daemons(client: Client) -> None:
    for row in SAMPLED:
        address, told = row["address"], row["balance"]
        shown = asked(client, f"/api/addr/{address}?noTxList=1")
        assert (shown["addrStr"], "transactions" in shown) == (address, False)
        assert (shown["balanceSat"], shown["totalReceivedSat"]) == (told["balance"], told["received"])
        assert shown["totalSentSat"] == told["received"] - told["balance"]
        assert shown["balance"] * 10**8 == told["balance"]
        assert shown["txApperances"] == len(row["txids"])
        assert set(asked(client, f"/api/addr/{address}/")["transactions"]) == set(row["txids"][-1000:])
        for figure in ("balance", "totalReceived", "totalSent", "unconfirmedBalance"):
            assert asked(client, f"/api/addr/{address}/{figure}") == shown[f"{figure}Sat"]
        utxos = asked(client, f"/api/addrs/{address}/utxo")
        assert {(u["txid"], u["vout"], u["satoshis"], u["scriptPubKey"], u["height"]) for u in utxos} == {
            (u["txid"], u["outputIndex"], u["satoshis"], u["script"], u["height"]) for u in row["utxos"]
        }
        assert asked(client, f"/api/addr/{address}/utxo") == asked(client, f"/api/addrs/{address}/unspent") == utxos
        for utxo in utxos:
            assert utxo["confirmations"] == recorded.TIP - utxo["height"] + 1
            assert ("coinbase" in utxo) == (utxo["confirmations"] < 100)
            assert utxo["amount"] * 10**8 == utxo["satoshis"]


def test_the_history_of_an_address_page_by_page(client: Client) -> None:
    address, txids = BUSY["address"], BUSY["txids"]
    seen: list[str] = []
    for first in range(0, len(txids) + 50, 50):
        page = asked(client, f"/api/addrs/{address}/txs?from={first}&to={first + 50}")
        assert (page["totalItems"], page["from"]) == (len(txids), first)
        assert page["to"] == min(first + 50, len(txids))
        assert all(isinstance(item[name], list) for item in page["items"] for name in ("vin", "vout"))
        heights = [item["blockheight"] for item in page["items"]]
        assert heights == sorted(heights, reverse=True)
        seen += [item["txid"] for item in page["items"]]
        if len(page["items"]) < 50:
            break
    assert sorted(seen) == sorted(txids)
    assert asked(client, f"/api/txs?address={address}&pageNum=1")["txs"][0]["txid"] == seen[10]


def test_several_addresses_are_one_history(client: Client) -> None:
    rows = sorted(SAMPLED, key=lambda row: -len(row["txids"]))[:3]
    addresses, txids = [row["address"] for row in rows], {txid for row in rows for txid in row["txids"]}
    body = {"addrs": ",".join(addresses), "from": 0, "to": 60, "noAsm": 1, "noScriptSig": 1, "noSpent": 1}
    by_json = asked(client, "/api/addrs/txs", verb="POST", json=body)
    form = {"content": urlencode(body), "headers": {"Content-Type": "application/x-www-form-urlencoded"}}
    assert asked(client, "/api/addrs/txs", verb="POST", **form) == by_json
    assert by_json["totalItems"] == len(txids)
    assert {item["txid"] for item in by_json["items"]} <= txids
    output = by_json["items"][0]["vout"][0]
    assert ("asm" in output["scriptPubKey"], "spentTxId" in output) == (False, False)
    posted = asked(client, "/api/addrs/utxo", verb="POST", json={"addrs": addresses})
    assert len(posted) == sum(len(row["utxos"]) for row in rows)
    sums = asked(client, f"/api/addrs/{','.join(addresses)}/balance")
    assert sums["balance"] == sum(row["balance"]["balance"] for row in rows)
    young = [u["satoshis"] for u in posted if u.get("coinbase")]
    assert (sums["unconfirmedBalance"], sums["immature"]) == (0, sum(young))


def test_messages_in_outputs_are_there(client: Client) -> None:
    told = next(
        (tx, output)
        for row in recorded.blocks()
        for tx in row["block"]["tx"]
        for output in tx.get("vout", ())
        if output["scriptPubKey"]["type"] == "nulldata" and len(output["scriptPubKey"]["asm"]) > 20
    )
    address = next(spent["address"] for spent in told[0]["vin"])
    page = asked(client, f"/api/addrs/{address}/txs?from=0&to=100")
    item = next(item for item in page["items"] if item["txid"] == told[0]["txid"])
    assert item["vout"][told[1]["n"]]["scriptPubKey"]["asm"] == told[1]["scriptPubKey"]["asm"]


# --- chain, statistics, numbers -------------------------------------------------------------------------------


def test_what_depends_on_the_clock_is_not_kept(client: Client) -> None:
    for path in ("/api/status", "/api/sync", "/api/peer", "/daemon/getinfo", "/explorer/issynced"):
        headers = client.get(path).headers
        assert (headers["cache-control"], "etag" in headers) == ("no-store", False)


def test_the_state_of_the_chain(client: Client) -> None:
    (told,) = calls("getinfo")[-1:]
    for path in ("/api/status", "/api/status?getinfo", "/api/status?q=getInfo"):
        shown = asked(client, path)
        assert set(shown) == {"info", "blockbook", "backend"}
        assert shown["info"]["blocks"] == shown["blockbook"]["bestHeight"] == shown["backend"]["blocks"] == recorded.TIP
        assert shown["info"]["version"] == told[1]["version"]
        assert shown["info"]["reward"] * 10**8 == recorded.subsidies().get(recorded.TIP, 9 * 10**8)
    assert asked(client, "/api/status?q=getBestBlockHash") == {"bestblockhash": TIP_HASH}
    assert asked(client, "/api/status?q=getLastBlockHash")["lastblockhash"] == TIP_HASH
    assert asked(client, "/api/status?q=getDifficulty") == {"difficulty": 1}
    sync = asked(client, "/api/sync")
    assert (sync["status"], sync["height"], sync["syncPercentage"]) == ("finished", recorded.TIP, 100)
    assert set(asked(client, "/api/utils/estimatefee?nbBlocks=2,6")) == {"2", "6"}
    assert set(asked(client, "/api/peer")) == {"connected", "host", "port"}
    assert asked(client, "/api/version")["version"]


def test_the_blocks_of_a_day(client: Client) -> None:
    shown = asked(client, "/api/blocks?limit=3")
    assert [block["height"] for block in shown["blocks"]] == [recorded.TIP, recorded.TIP - 1, recorded.TIP - 2]
    assert (shown["length"], shown["pagination"]["isToday"], shown["pagination"]["more"]) == (3, True, True)
    day, before = shown["pagination"]["current"], shown["pagination"]["moreTs"]
    older = asked(client, f"/api/blocks?blockDate={day}&startTimestamp={before}&limit=2")
    assert [block["height"] for block in older["blocks"]] == [recorded.TIP - 3, recorded.TIP - 4]
    for block in shown["blocks"]:
        told = recorded.blocks()[block["height"]]["block"]
        assert (block["hash"], block["time"], block["size"]) == (told["hash"], told["time"], told["size"])
        assert block["txlength"] == len(told["tx"])
    assert asked(client, "/api/blocks?blockDate=2001-01-01")["blocks"] == []


def test_supply_in_plain_numbers(client: Client) -> None:
    total = client.get("/api/total-supply")
    assert total.headers["content-type"].startswith("text/plain")
    assert re.fullmatch(r"\d+\.\d{8}", total.text)
    assert asked(client, "/api/statistics/total-supply?format=object") == {"supply": total.text}
    assert client.get("/api/supply").status_code == 404  # the recorded chain has no parallel chains


def test_statistics_of_holders(client: Client) -> None:
    richest = asked(client, "/api/statistics/richest-addresses-list")
    balances = [item["balance"] for item in richest]
    assert balances == sorted(balances, reverse=True)
    assert len(richest) == min(1000, len(balances))
    bands = asked(client, "/api/statistics/balance-intervals")
    assert sum(band["count"] for band in bands) >= len(richest)


def test_statistics_day_by_day(client: Client) -> None:
    days: dict[str, list[dict[str, Any]]] = {}
    reached = 0
    for row in recorded.blocks():
        reached = max(reached, row["block"]["time"])
        days.setdefault(datetime.fromtimestamp(reached, UTC).date().isoformat(), []).append(row["block"])
    genesis_day, *others = days
    seen = asked(client, "/api/statistics/transactions?days=all")
    assert seen == [
        {"date": day, "transaction_count": sum(len(b["tx"]) for b in days[day]), "block_count": len(days[day])}
        for day in others[::-1]
    ]
    assert asked(client, "/api/statistics/transactions?days=1") == seen[:1]
    difficulty = asked(client, "/api/statistics/difficulty?days=60")
    assert [day["sum"] for day in difficulty] == [days[day["date"]][-1]["difficulty"] for day in difficulty]
    supply = asked(client, "/api/statistics/supply?days=all")
    sums = [Decimal(day["sum"]) for day in supply]
    assert sums == sorted(sums, reverse=True)
    assert asked(client, "/api/statistics/total")["n_blocks_mined"] == sum(day["block_count"] for day in seen[:2])
    assert client.get("/api/statistics/fees?days=0").status_code == 400
    assert client.get("/api/statistics/pools").status_code == 404


def test_messages_are_verified(client: Client) -> None:
    assert calls("verifymessage")
    for params, result in calls("verifymessage"):
        given = dict(zip(("address", "signature", "message"), params, strict=True))
        assert asked(client, f"/api/messages/verify?{urlencode(given)}") == {"result": result}
        assert asked(client, "/api/messages/verify", verb="POST", json=given) == {"result": result}
    assert client.get("/api/messages/verify").status_code == 400


# --- forms ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/api/addr/t1nonsense", 400, "Code:1"),
        ("/api/block-index/99999", 400, "Block height out of range. Code:-8"),
        (f"/api/block/{'0' * 64}", 404, "Not found"),
        (f"/api/tx/{'0' * 64}", 404, "Not found"),
        ("/api/tx/zz", 400, "64 hex digits"),
        ("/api/blocks?blockDate=yesterday", 400, "Please use yyyy-mm-dd format"),
        (f"/api/addrs/{UNUSED}/txs?from=0&to=101", 400, "less than or equal to 100"),
        (f"/api/addrs/{UNUSED}/txs?from=x", 400, "whole number"),
        ("/api/currency", 503, "no rates"),
        ("/api/markets/info", 503, "no rates"),
        ("/api/txs", 400, "expected"),
    ],
)
def test_errors_are_plain_text(client: Client, path: str, status: int, words: str) -> None:
    response = client.get(path)
    assert (response.status_code, words in response.text) == (status, True), response.text
    assert response.headers["content-type"].startswith("text/plain")
    assert response.headers["access-control-allow-origin"] == "*"


def test_other_sites_may_ask(client: Client) -> None:
    for path in ("/api/tx/send", "/api/fluxnode/listfluxnodes", f"/insight-api/addr/{UNUSED}"):
        response = client.request("OPTIONS", path, headers={"Origin": "chrome-extension://x"})
        assert (response.status_code, response.headers["access-control-allow-origin"]) == (204, "*")
        assert "Content-Type" in response.headers["access-control-allow-headers"]


def test_no_number_is_a_floats(client: Client) -> None:
    for path in (f"/api/addr/{BUSY['address']}?noTxList=1", f"/api/addrs/{BUSY['address']}/txs?to=100",
                 f"/api/addr/{BUSY['address']}/utxo", "/api/statistics/richest-addresses-list"):  # fmt: skip
        body = json.loads(client.get(path).text, parse_float=lambda text: f"<{text}>")
        written = re.findall(r"<(.*?)>", json.dumps(body))
        assert all(re.fullmatch(r"-?\d+\.\d{1,8}", text) for text in written)
        assert written


def test_without_a_daemon_signatures_are_left_out(any_client: Client) -> None:
    told = transfers()[0]
    tx = asked(any_client, f"/api/tx/{told['txid']}")
    assert not {"scriptSig", "sequence"} & {name for spent in tx["vin"] for name in spent}
    assert len(tx["vout"]) == len(told["vout"])
    block = asked(any_client, f"/api/block/{TIP_HASH}")
    assert not {"chainwork", "blockSignature"} & set(block)
    response = any_client.post("/api/tx/send", json={"rawtx": "00" * 60})
    assert (response.status_code, "needs a daemon" in response.text) == (503, True)
    assert asked(any_client, "/api/utils/estimatefee") == {"2": -1}


def test_what_a_daemon_would_add_is_not_left_out_for_long(recorded_index: tuple[str, str]) -> None:
    with ReplayDaemon() as daemon, Client(create_app(settings(recorded_index, daemon=daemon))) as client:
        told = transfers()[0]
        for path, name in ((f"/api/tx/{told['txid']}", "scriptSig"), (f"/api/block/{TIP_HASH}", "chainwork")):
            daemon.down()
            response = client.get(path)
            assert (response.headers["cache-control"], name in response.text) == ("no-store", False)
            daemon.up()
            assert name in client.get(path).text
