"""Published tables of classes of response at time points, of events, and of further readings."""
