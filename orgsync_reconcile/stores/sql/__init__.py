"""An org in one SQLite file: real tables, triggers that capture every writer, and our own `orgsync_*` tables."""
