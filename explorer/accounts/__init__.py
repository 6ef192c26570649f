"""Accounts: who signed a challenge with a key, and what he keeps here: a watch list, webhooks, a feed."""
