"""Where the venue may liquidate, as a price of base.

Health is 1 where sum(supplied x threshold x price) = sum(debt x price). The asset is the unit of account, so with
supplied S, threshold L and debt D this is linear in the price p of base:

    p x (S_base L_base - D_base) = D_asset - S_asset L_asset

With both sides positive the vault is long and a fall liquidates; with both negative it is short and a rise does.
With the left factor not positive and the right side not negative every price liquidates.
"""

from dataclasses import dataclass

from keeper.model.ledger import Ledger
from keeper.model.units import BPS, WAD, Wad


@dataclass(frozen=True, slots=True)
class LiquidationDistance:
    """The price at which health is 1, and how far away it is in each direction."""

    price_wad: Wad | None
    fall: float | None
    rise: float | None


NEVER = LiquidationDistance(None, None, None)
ALWAYS = LiquidationDistance(None, 0.0, 0.0)


def liquidation_distance(ledger: Ledger, price_usable: bool) -> LiquidationDistance:
    """Distance to liquidation with everything but the base price unchanged.

    The price is rounded towards the dangerous side by at most 1e-18; it needs no price of today.
    Distances are None while the price is unusable, and 0.0 when the vault may be liquidated already.
    """
    asset, base = ledger.asset, ledger.base
    if asset.debt == 0 and base.debt == 0:
        return NEVER
    factor = base.supplied * base.liquidation_threshold_bps - base.debt * BPS
    owed = asset.debt * BPS - asset.supplied * asset.liquidation_threshold_bps
    if factor <= 0 <= owed:
        return ALWAYS
    if factor >= 0 >= owed:
        return NEVER
    numerator = abs(owed) * WAD * 10**base.decimals
    denominator = abs(factor) * 10**asset.decimals
    long = factor > 0
    at = -(-numerator // denominator) if long else numerator // denominator
    if not price_usable:
        return LiquidationDistance(Wad(at), None, None)
    if long:
        return LiquidationDistance(Wad(at), max(0.0, 1 - at / ledger.price_wad), None)
    return LiquidationDistance(Wad(at), None, max(0.0, at / ledger.price_wad - 1))
