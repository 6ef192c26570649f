"""The demo network's parallel chains: ten ledgers of FLUX, the bridge to them, and servers of their protocols.

Ledgers follow from the demo chain alone: whoever replays its blocks finds the same balances.
"""
