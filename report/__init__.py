"""What does a clinician open? One page per release, readable without network or program."""
