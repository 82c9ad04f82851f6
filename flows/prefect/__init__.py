"""Prefect's own server: start it, find it, stop it, and mend what a killed run left."""
