"""What goes on around a connection: unattended runs, alerts and email, logins, reports, drills, switches of users."""
