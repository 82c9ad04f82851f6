"""Bring a store of an older layout to this one, and back. Imports intake and releases."""
