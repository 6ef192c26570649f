"""Transactions, scripts and amounts as the daemon's JSON has them: one form for all that pass its answers on.

The demo network's daemon answers with it, and so do the explorer's adapters for programs that expect the daemon's form.
"""
