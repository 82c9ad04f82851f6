"""Prognostic factors: alone, in the models of the series and the registry's, and by course.

`flows`, `warehouse` and `report` may import from here; nothing here imports them.
"""
