"""The limits of one of several processes that serve the same site: each counts for itself."""

from __future__ import annotations


def share_of_all(limit: int, workers: int) -> int:
    """One worker's part of a limit for everybody together, rounded up."""
    return -(-limit // workers)


def share_of_client(limit: int, workers: int) -> int:
    """What one worker grants one client: twice its part, for the connections of a client spread unevenly."""
    return min(limit, -(-2 * limit // workers))
