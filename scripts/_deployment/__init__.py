"""What the Ape scripts do to the world: read a chain, try a deployment, send it. Values: keeper.deployment."""
