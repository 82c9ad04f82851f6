"""What held rows leave open."""
