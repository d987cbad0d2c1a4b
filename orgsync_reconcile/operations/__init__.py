"""What goes on around a connection: email to people, and the logins of the secondary org."""
