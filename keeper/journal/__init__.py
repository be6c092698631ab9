"""What happened, durably: decisions before signing, attempts before broadcast, outcomes."""
