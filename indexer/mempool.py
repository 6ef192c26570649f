"""The unconfirmed set, kept for all explorers in the collection ``mempool``.

A thread beside the session asks the daemon which transactions wait, fetches the new ones, resolves what they
spend and removes what left. The chain-derived collections are only read.
"""
