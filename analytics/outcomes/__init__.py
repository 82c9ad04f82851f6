"""Published tables of one release: each function makes the table of its name."""
