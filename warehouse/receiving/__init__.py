"""Take an arrival from the inbox, or say why not.

Imports loading, releases and what lies below them.
"""
