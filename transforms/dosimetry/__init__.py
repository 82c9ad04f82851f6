"""Compute absorbed doses and set them beside what was recorded."""
