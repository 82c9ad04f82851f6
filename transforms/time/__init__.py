"""Find for each patient how long until what happened."""
