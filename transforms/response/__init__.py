"""Derive response to treatment, from measurements to best responses, one idea per file."""
