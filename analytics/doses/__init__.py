"""Doses: of targets and compartments, and how response and toxicity go with them."""
