"""What a figure or table says: frozen models made by pure functions of a finished release.

Imports analytics (rounding) and schemas; report's page and drawing import it.
"""
