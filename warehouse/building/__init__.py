"""Derive and estimate every table of a night from accepted rows.

Imports engine, intake and loading.
"""
