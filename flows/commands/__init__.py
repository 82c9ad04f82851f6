"""The commands of `y90`: one small module per group, in three rooms by who types them.

These modules import nothing heavy until a command runs, so that help is instant.
"""
