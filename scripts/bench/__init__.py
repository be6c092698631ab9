"""Measurements beside peers; results as JSON under build/bench."""
