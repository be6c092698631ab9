"""Market state to risk report: what the vault is worth and what would liquidate it.

`assess` is for every tick; `assess_deep` is the whole, for people and slower decisions.
"""

from keeper.risk.assess import assess
from keeper.risk.deep import assess_deep, with_modules

__all__ = ["assess", "assess_deep", "with_modules"]
