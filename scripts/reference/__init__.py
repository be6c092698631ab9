"""References in many digits, written apart from the contracts they check."""
