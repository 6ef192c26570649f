"""The indexer of the Flux chain: raw blocks in, MongoDB collections out."""

__version__ = "0.1.0"
