"""Tests, and the builders they share."""
