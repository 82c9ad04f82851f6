"""What is a table, a setting, a site file, an error: the types that every other room shares."""
