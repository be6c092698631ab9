"""RiskReport: what the vault is worth and what would hurt it, as every tick knows it and strategies read it.

Floats here are estimates, never amounts. `FullReport` says more, and the same of what is in both.
"""

from dataclasses import dataclass

from keeper.model.quick import quick
from keeper.model.risk_report import CollateralTarget
from keeper.model.units import Raw, Wad


@quick
@dataclass(frozen=True, slots=True)
class RiskReport:
    """Value and danger of one vault at one block.

    While the vault's oracle has a fault, health is the venue's own (from the last answer the venue uses)
    and what needs a price of ours is None (NAV, distances) or 0 (values).
    """

    nav: Raw | None
    """Asset units at oracle price; None when the price is unusable."""
    health_wad: Wad
    """Collateral x liquidation threshold / debt as the venue computes it."""
    net_delta: Raw
    """Net base exposure in base units: idle + supplied - debt (signed)."""
    gross_collateral: Raw
    """Supplied value in asset units at oracle price (0 if unusable)."""
    debt: Raw
    """Debt value in asset units at oracle price (0 if unusable)."""
    leverage: float
    """Gross assets / NAV."""
    liquidation_price_wad: Wad | None
    """Oracle price of base at which health is 1, other things equal; None if there is none."""
    fall_to_liquidation: float | None
    """Fraction the base price may fall before liquidation (0.25 = 25 %); None if no fall does."""
    rise_to_liquidation: float | None
    """Fraction the base price may rise before liquidation; None if no rise does."""
    has_position: bool
    """False for a vault with nothing supplied and nothing owed."""
    collateral: CollateralTarget | None = None
    """Health that the forecast volatility and the wait for the keeper's next action ask for; None without a
    forecast."""
