"""Answer where a number comes from, why it changed, and whether a release is whole.

May import every room but sharing.
"""
