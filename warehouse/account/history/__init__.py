"""How a published number came to be what it is: night by night, by the rules and rows of each.

Part of the room `account`, and may import what that may.
"""
