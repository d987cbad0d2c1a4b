"""What an org keeps, in SQL that every store takes: schema, components, connections, queues, movement of records."""
