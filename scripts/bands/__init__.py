"""What is computed offline for the hedge bands, and how the bands compare."""
