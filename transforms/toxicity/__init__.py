"""Grade laboratory results and adverse events, and find their worst grade by window."""
