"""The guard rails."""
