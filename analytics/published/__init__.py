"""What the literature published, and how ours compares with it."""
