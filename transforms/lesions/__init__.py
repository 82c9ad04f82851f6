"""Which lesions there are: what was there before treatment, what is new, what split or merged."""
