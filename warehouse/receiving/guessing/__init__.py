"""Propose a site file from an export: which field is which column of ours, and how sure that is.

Nothing is read here that `warehouse.receiving.site_guess` did not read. Imports nothing beside it.
"""
