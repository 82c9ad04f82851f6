"""The embedded engine, the compiled derivations and their lineage, and keyed pseudonyms.

Imports only the store and fingerprints of the warehouse; every room above may import it.
"""
