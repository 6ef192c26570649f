"""Blockbook v2 for the clients that speak it: ``/api/v2/…`` and ``/websocket``, on the queries of the API.

Amounts are text in zatoshi, empty fields are left out. Source of routes and shapes: Blockbook's ``docs/api.md`` and
``openapi.yaml``, and what ``@trezor/blockchain-link`` sends.
"""
