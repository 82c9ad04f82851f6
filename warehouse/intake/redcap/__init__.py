"""Read a REDCap project: its flat export, dictionary, labels and API.

Imported by intake, receiving and the commands.
"""
