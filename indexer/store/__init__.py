"""The database: schema, rows, the few verbs, commit and rewind."""
