"""Where blocks come from: a source knows hashes and heights, not what a block means."""
