"""Clinical and statistical rules that are data: one module a kind, one record a rule.

Imports nothing above schemas.
"""
