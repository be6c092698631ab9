"""Settings: read once, validated, frozen, and passed on as values."""
