"""Commands that make, schedule and watch nights."""
