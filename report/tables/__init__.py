"""What a table says: frozen models made by pure functions of a finished release.

Imports report/figures (models and words), analytics and schemas; report's page imports it.
"""
