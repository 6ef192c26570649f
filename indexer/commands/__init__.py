"""What the sub-commands of ``flux-explorer`` do; ``indexer.cli`` is their command line."""
