"""Tell people and monitors how nights went."""
