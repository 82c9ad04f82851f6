"""From marts to published numbers: estimators, summaries, statistics."""
