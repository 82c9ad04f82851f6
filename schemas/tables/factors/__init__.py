"""Marts of prognostic factors; `schemas.tables.marts` gathers them. Everybody may import them."""
