"""Classes of response at time points; imports transforms.response, not the other way round."""
