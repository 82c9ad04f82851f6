"""What centres and published formats call our tables, columns and codes.

Words only: what is made of them is `warehouse.receiving.guessing` and `.presets`. Imports nothing
above schemas.
"""
