"""The files by which the explorer finds the demo's parallel chains, and knows whose the addresses of Fusion are.

Formats: ``explorer/parallel/chains.toml`` and ``explorer/labels.toml``.
"""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

from indexer.chain.address import encode_address
from indexer.chain.params import COIN, Network
from indexer.demo.parallel.chains import CHAINS, DECIMALS, MINED_BEFORE, ROLES, SNAPSHOT_BEFORE, TokenChain
from indexer.demo.parallel.server import endpoint
from indexer.demo.wallet import FUSION_WALLETS, fund

CHAINS_FILE: Final = "chains.toml"
LABELS_FILE: Final = "labels.toml"
HEADER: Final = "# Written by the simulated daemon of the demo network, at each of its starts.\n"
FUNDS: Final = (
    ("exchange", "Demo exchange fund", "paid once by the rules"),
    ("foundation", "Demo foundation fund", "paid once by the rules"),
    ("dev fund", "Demo development fund", "paid by every block since proof of node"),
)


class Files(NamedTuple):
    """Where the files are."""

    chains: Path
    labels: Path


def write(network: Network, folder: Path, url: str) -> Files:
    """Write both files for parallel chains that are served at ``url``; whoever reads meanwhile finds whole ones."""
    folder.mkdir(parents=True, exist_ok=True)
    files = Files(folder / CHAINS_FILE, folder / LABELS_FILE)
    _replace(files.chains, chains_text(network, url))
    _replace(files.labels, labels_text(network))
    return files


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(HEADER + text, "utf-8")
    draft.replace(path)


def chains_text(network: Network, url: str) -> str:
    """The ten chains, served at ``url``."""
    first = min(chain.launch_height(network) for chain in CHAINS)
    return f"\nmining_from = {first - MINED_BEFORE}\n" + "".join(_chain(network, url, chain) for chain in CHAINS)


def _chain(network: Network, url: str, chain: TokenChain) -> str:
    launch, place = chain.launch_height(network), endpoint(url, chain)
    snapshot = f"snapshot_height = {launch - SNAPSHOT_BEFORE}\n" if chain.snapshot else ""
    issuers = "".join(f'"{role}" = "{chain.issuer(role)}"\n' for role in ROLES)
    return f"""
[chains.{chain.key}]
name = "{chain.name}"
asset = "{chain.asset}"
kind = "{chain.kind}"
contract = "{chain.contract}"
decimals = {DECIMALS}
minted = {Decimal(chain.minted) / COIN:.8f}
launch_height = {launch}
{snapshot}lifecycle = "{chain.lifecycle}"
explorer = "{place}/"
endpoints = ["{place}"]

[chains.{chain.key}.issuers]
{issuers}"""


def labels_text(network: Network) -> str:
    """The funds and the wallets of Fusion."""
    funds = [_label(network, fund(name).address, label, "consensus", source) for name, label, source in FUNDS]
    wallets = [
        _label(
            network,
            owner.address,
            f"Fusion, {role.lower()} wallet",
            "consensus" if role == "LOCKED" else "official",
            "paid ten times by the rules" if role == "LOCKED" else "simulated",
            f'role = "{role}"\nfusion = true\n',
        )
        for role, owner in FUSION_WALLETS.items()
    ]
    return "".join(funds + wallets)


def _label(network: Network, key: bytes, label: str, confidence: str, source: str, more: str = "") -> str:
    return f"""
[[addresses]]
address = "{encode_address(key, network)}"
label = "{label}"
confidence = "{confidence}"
source = "{source}"
{more}"""
