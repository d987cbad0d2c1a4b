"""Org stores: an org in SQL that every store takes (`sql`), and each store's own way (`sqlite`, `postgres`)."""
