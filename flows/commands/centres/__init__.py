"""Commands of whoever connects a centre."""
