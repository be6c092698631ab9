"""Price paths: what the market does at every simulated block, generated or from a file."""
