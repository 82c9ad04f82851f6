"""Sections of registry.toml whose values are codes of records: `schemas.settings` gathers them.

Everybody may import from here; nothing here imports `schemas.settings`.
"""
