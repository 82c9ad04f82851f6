"""A second, independent reading of the response and time-to-event rules after 90Y radioembolization."""
