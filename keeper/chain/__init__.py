"""Reading the chain: one endpoint, its heads, and pinned reads of a vault."""
