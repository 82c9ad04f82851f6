"""When does the pipeline run, and how is it told what to do: flows, settings, command line."""
