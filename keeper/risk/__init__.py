"""Market state to risk report: what the vault is worth and what would liquidate it."""

from keeper.risk.assess import assess

__all__ = ["assess"]
