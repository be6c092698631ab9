"""Who lives on the local mainnet: each sees the newest block and sends transactions for the next one."""
