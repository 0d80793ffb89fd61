"""What a run, a study or an input is, for people to look at."""
