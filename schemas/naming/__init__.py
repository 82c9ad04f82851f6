"""What centres call our tables, columns and codes, in the languages that they write.

Words only: what is made of them is `warehouse.receiving.guessing`. Imports nothing above schemas.
"""
