"""Sixty nights of three invented centres, with planted changes: played from one script."""
