"""Webhooks: credits to addresses and events of nodes, told to servers of the operator, at least once each."""
