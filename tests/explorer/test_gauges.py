"""The chain for monitoring and for a first page: the same numbers as their own resources."""

from __future__ import annotations

import re

from explorer.pages.formats import zatoshi
from tests.explorer.client import Client


def test_metrics_of_the_chain_are_what_the_api_answers(client: Client) -> None:
    text = client.get("/metrics").text
    samples = {name: float(value) for name, value in re.findall(r"^flux_explorer_(\S+) (\S+)$", text, re.MULTILINE)}
    for tier in client.json("/api/v1/tiers")["items"]:
        for status, count in tier["nodes"].items():
            assert samples[f'nodes{{tier="{tier["tier"]}",status="{status}"}}'] == count
        assert samples[f'payout_zatoshi{{tier="{tier["tier"]}"}}'] == float(zatoshi(tier["reward"]))
    native = client.json("/api/v1/supply")["native"]
    for part in ("schedule", "issued", "transparent", "sprout", "sapling", "unspendable"):
        assert samples[f'supply_zatoshi{{part="{part}"}}'] == float(zatoshi(native[part]))
    for cap in client.json("/api/v1/supply/cap")["checks"]:
        held = {s: samples[f'cap_state{{cap="{cap["name"]}",state="{s}"}}'] for s in ("within", "exceeded", "unknown")}
        assert held == {state: state == cap["state"] for state in held}
        headroom = samples.get(f'cap_headroom_zatoshi{{cap="{cap["name"]}"}}')
        assert headroom == (None if cap["headroom"] is None else float(zatoshi(cap["headroom"])))
    block = client.json("/api/v1/blocks/2400")
    assert samples["difficulty"] == float(f"{block['difficulty']:g}")
    assert samples["payouts_checked"] == client.json("/api/v1/status")["checks"]["payouts_checked"]
    types = re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)
    assert len(types) == len(set(types))


def test_one_call_has_all_of_a_first_page(client: Client) -> None:
    body = client.json("/api/v1/home")
    parts = {
        "block": "/api/v1/blocks/2400", "tiers": "/api/v1/tiers", "supply": "/api/v1/supply",
        "caps": "/api/v1/supply/cap",
    }  # fmt: skip
    for name, path in parts.items():
        assert body[name] == {key: value for key, value in client.json(path).items() if key != "tip"}
    assert body["latest"] == client.json("/api/v1/blocks?limit=12")["items"]
    times = [block["time"] for block in body["latest"]]
    assert body["spacing_seconds"] == (times[0] - times[-1]) // 11
    pool = client.json("/api/v1/mempool")
    assert body["mempool"] == {"count": pool["count"], "bytes": pool["bytes"]}
    checks = client.json("/api/v1/status")["checks"]
    assert body["payouts"] == {"checked": checks["payouts_checked"], "mismatched": checks["payouts_mismatched"]}
    tag = {"If-None-Match": client.get("/api/v1/home").headers["etag"]}
    assert client.get("/api/v1/home", headers=tag).status_code == 304
