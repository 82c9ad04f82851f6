"""Commands that answer questions about releases."""
