"""The index held against the daemon's own answers while blocks arrive: node lists often, supply rarely.

A thread beside the session asks the daemon for its node lists, or for its sums of the utxo set, reads ours for the
same block hash, and compares them field by field. It only ever compares two accounts of one block: a daemon that is
ahead, behind or on another branch is asked again later. The verdict and the first differences are in ``meta.checks``.
"""

from __future__ import annotations

from indexer.selfcheck.keeper import SelfCheckKeeper, open_selfcheck

__all__ = ["SelfCheckKeeper", "open_selfcheck"]
