"""What a published number could be, were held rows otherwise: pure functions of counts and times.

Imported by warehouse/building.
"""
