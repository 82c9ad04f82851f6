"""The page of a pooled release. Imported by flows."""
