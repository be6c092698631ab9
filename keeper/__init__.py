"""Gimbal: an autonomous keeper for on-chain vaults."""

__version__ = "0.1.0"
