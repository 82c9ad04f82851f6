"""Numerical estimators over counts and arrays; they know no table.

Imported by analytics/outcomes.
"""
