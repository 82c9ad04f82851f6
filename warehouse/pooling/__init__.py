"""Pool bundles of several registries that keep their patients; imports bundles."""
