"""The page that a clinician opens: one per release, readable without network or program."""
