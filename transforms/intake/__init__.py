"""Bring a centre's columns to ours and compare tables with each other.

Pure expressions over raw and registry tables.
"""
