"""A made-up chain in the shape of the main net: what the indexer is measured with, by the operator as by the bench."""
