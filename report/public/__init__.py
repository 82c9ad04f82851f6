"""The page and the Word tables of a public bundle, from its guarded tables alone."""
