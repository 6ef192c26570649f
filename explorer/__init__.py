"""The site and API over the collections that the indexer writes."""
