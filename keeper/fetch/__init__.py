"""Market history from exchanges into files: paged, rate-limited, resumable; checked, and nothing filled in."""
