"""Look into a release: published statistics, and free subgroups under guard. Imports sharing."""
