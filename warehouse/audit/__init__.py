"""Judge whether a candidate release may be published. Imports releases and what lies below them."""
