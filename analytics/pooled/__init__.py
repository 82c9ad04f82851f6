"""Numbers of several registries as one, from what each of them may tell: pure functions.

Imported by warehouse/pooling and report.
"""
