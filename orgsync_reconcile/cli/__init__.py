"""The program at the terminal: one file per command, errors to exit codes, rendering."""
