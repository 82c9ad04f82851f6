"""Mutation testing: change one place of the code at a time, and see that a test fails."""
