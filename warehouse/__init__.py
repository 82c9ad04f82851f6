"""Keeps every delivery, derives, audits and publishes one immutable release at a time."""
