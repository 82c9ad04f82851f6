"""Published tables of classes of response at time points, and of survival by response."""
