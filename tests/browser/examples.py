"""Examples of pages that differ by what the chain has in them, and of those that no link leads to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from tests.demo.site import Site

LOOKED_THROUGH = 60  # blocks from the tip down in which kinds of transactions are looked for
ABSENT = ["/nothing", "/block/nonsense", "/block/99999999", "/search?q=10.0.0.1%3A16127", "/tx/" + "0" * 64]
OWN = ["/account/webhooks", "/account/webhooks/0", "/account/export.json", "/watched/nobody.ics", "/watched/nobody.csv"]
"""What only who is signed in, or has the secret, gets to see."""


@dataclass(frozen=True)
class Examples:
    """Paths of a node that is paid and of the address it pays, and all paths to begin from."""

    node: str
    address: str
    all: list[str]


def examples_of(site: Site) -> Examples:
    """The examples of a running demo network, which goes through a reorganisation for it."""
    nodes = site.json("/nodes?limit=1000")["items"]
    node = max(nodes, key=lambda item: item["paid_count"])
    orphan = site.rpc.call("getbestblockhash")
    site.rpc.call("invalidateblock", orphan)
    site.rpc.call("generate", 2)
    site.send_anything()
    site.until_at_tip()
    site.until("something waits", lambda: site.json("/mempool")["items"])
    tip = site.json("/status")["tip"]
    by_status = {item["status"]: f"/node/{item['node']}" for item in nodes}
    day = datetime.fromtimestamp(tip["time"], UTC).date().isoformat()
    spent = _spent(site, tip["height"])
    paths = [
        "/", "/blocks", "/block/0", f"/block/{tip['height']}", f"/block/{orphan}", f"/blocks-date/{day}",
        *_transactions(site, tip["height"]), *by_status.values(), f"/node/ip/{node['ip']}", f"/spending/{spent}",
        f"/address/{node['address']}?view=payouts", "/nodes", "/mempool", "/search", "/q/tip", "/broadcast",
        "/suggestions?q=cumu",
        "/preview/supply.png", "/favicon.ico", "/robots.txt", *ABSENT, *OWN,
    ]  # fmt: skip
    return Examples(f"/node/{node['node']}", f"/address/{node['address']}", paths)


def _transactions(site: Site, tip: int) -> list[str]:
    """A transaction of each type that recent blocks have, and one that waits."""
    found = {"waiting": site.json("/mempool")["items"][0]["txid"]}
    for height in range(tip, max(0, tip - LOOKED_THROUGH), -1):
        for item in site.json(f"/blocks/{height}/transactions?limit=100")["items"]:
            found.setdefault(item["type"], item["txid"])
    return [f"/tx/{txid}" for txid in found.values()]


def _spent(site: Site, tip: int) -> str:
    """An output that was spent, as path of its spending."""
    spent = ""
    while not spent:
        transfers = site.json(f"/blocks/{tip}/transactions?limit=100")["items"]
        spent = next((spent["outpoint"] for tx in transfers for spent in tx["inputs"]), "")
        tip -= 1
    return spent.replace(":", "/")
