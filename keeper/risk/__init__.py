"""Market state to risk report: what the vault is worth and what would liquidate it.

`assess` is for every tick and imports nothing heavy; `keeper.risk.deep.assess_deep` is the whole, for people and for
slower decisions.
"""

from keeper.risk.assess import assess
from keeper.risk.veto import module_refusals

__all__ = ["assess", "module_refusals"]
