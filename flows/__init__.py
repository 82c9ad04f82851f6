"""When the pipeline runs and what it is told: flows, settings, command line."""
