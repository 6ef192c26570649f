"""What hardware a node of each tier needs today: no fact of the chain, but what its benchmark asks for.

Source: ``fluxbench`` 6.3.1 (``src/fluxnode/benchmarks.h``), which tests memory with some allowance: 7, 30 and 61 GB
pass for the 8, 32 and 64 that the documentation of Flux names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from explorer.queries.node_results import Requirements
from indexer.chain.tiers import Tier

REQUIREMENTS: Final[Mapping[Tier, Requirements]] = {
    Tier.CUMULUS: Requirements(2, 4, ram_gb=8, storage_gb=220, eps=240, disk_mbps=180, bandwidth_mbps=25),
    Tier.NIMBUS: Requirements(4, 8, ram_gb=32, storage_gb=440, eps=640, disk_mbps=180, bandwidth_mbps=50),
    Tier.STRATUS: Requirements(8, 16, ram_gb=64, storage_gb=880, eps=1520, disk_mbps=400, bandwidth_mbps=100),
}
