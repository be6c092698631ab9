"""Ends of the keeper that are neither chain nor journal: what it starts and serves beside the loop."""
