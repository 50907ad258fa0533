"""What the process needs to run well: interpreter settings, kernel cache, warm-up, supervision, crash points."""
