"""Tables, settings, site files and errors: the types that every other package shares."""
