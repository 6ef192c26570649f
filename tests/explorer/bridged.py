"""An explorer of the recorded chain that has parallel chains, none of which is asked, and names for addresses."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from explorer.parallel.chains import PACKAGED
from indexer.config import Config
from tests.explorer.client import settings


def bridged_settings(
    database: tuple[str, str], folder: Path, *, mining_from: int = 0, labels: str = "", last_launch: int = 0
) -> Config:
    """The settings with the main net's chains at endpoints of this machine that nobody serves.

    They earn from ``mining_from`` on and were launched at once, the last one at ``last_launch``.
    """
    text = re.sub(r'https://[^"\s]*', "http://127.0.0.1:9/", PACKAGED.read_text())
    text = re.sub(r"^mining_from = \d+", f"mining_from = {mining_from}", text, flags=re.MULTILINE)
    text = re.sub(r"^snapshot_height = .*$", "snapshot_height = 900", text, flags=re.MULTILINE)
    heads, _, tail = re.sub(r"^launch_height = \d+", "launch_height = 0", text, flags=re.MULTILINE).rpartition(
        "launch_height = 0"
    )
    (folder / "chains.toml").write_text(f"{heads}launch_height = {last_launch}{tail}")
    (folder / "labels.toml").write_text(labels)
    config = settings(database)
    return replace(
        config,
        parallel=replace(config.parallel, chains_file=str(folder / "chains.toml"), enabled=False),
        explorer=replace(config.explorer, labels_file=str(folder / "labels.toml")),
    )
