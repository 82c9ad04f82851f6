"""Read what a centre delivered as text, row by row.

Imports the engine room; loading and receiving import it.
"""
