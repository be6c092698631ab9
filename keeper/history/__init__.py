"""Market history from files: read, checked, and never guessed at."""
