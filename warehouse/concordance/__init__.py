"""Show that this machine's estimators give R's numbers. Imports analytics and no other room."""
