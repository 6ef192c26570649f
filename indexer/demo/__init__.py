"""The demo network: a chain built under the rules of ``indexer.chain``, and a simulated daemon that serves it.

Nothing in it is real: keys are numbers without a secret, signatures and proofs are random bytes.
"""
