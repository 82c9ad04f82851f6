"""Publish, name, read, decide on and retire immutable releases.

Imports building and what lies below it.
"""
