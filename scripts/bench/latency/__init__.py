"""From a new head to a transaction in the node's pool: this keeper beside two others, on one node."""
