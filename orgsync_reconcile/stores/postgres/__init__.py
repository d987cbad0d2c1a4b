"""Orgs on a PostgreSQL server: one schema each."""
