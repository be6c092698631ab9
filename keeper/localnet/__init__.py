"""The local mainnet: real protocols on anvil, and the actors who live on it."""
