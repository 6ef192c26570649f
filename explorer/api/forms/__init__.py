"""The forms in which other programs expect answers: the daemon's JSON of blocks and nodes."""
