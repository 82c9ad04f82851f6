"""How two quantities of the same units hang together: before and after, dose and response.

Numerical estimators that know no table, as those of the room above.
"""
