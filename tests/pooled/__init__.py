"""Several registries, no shared patients."""
