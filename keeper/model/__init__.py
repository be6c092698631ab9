"""Frozen values that flow one way through the pipeline. Imports nothing of ours but errors."""
