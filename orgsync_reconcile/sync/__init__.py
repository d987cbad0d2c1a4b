"""The sync engine: drains, bulk syncs, users, metadata, verification."""
