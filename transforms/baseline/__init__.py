"""Anchor every patient in time and take the values that stood before treatment."""
