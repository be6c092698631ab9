"""Use the freedom of a delta band to sell where base is dear and buy where it is cheap."""

import math
from dataclasses import dataclass, replace
from typing import Annotated

from keeper.model.decision import Target
from keeper.model.market import MarketState
from keeper.model.outlook import PoolQuote
from keeper.model.parameters import Range, check_ranges
from keeper.model.risk import RiskReport
from keeper.model.units import Raw
from strategies.parts.gates import blocked
from strategies.parts.hedging import fixed_cost
from strategies.parts.positions import delta_of, price_of, to_base_units, unit
from strategies.parts.room import room_for
from strategies.parts.targets import hold

Q96 = 2**96
PIPS = 10**6


@dataclass(frozen=True, slots=True)
class CrossPoolArbitrage:
    """Inside `band` around `target_delta` exposure may be anything, so a pool that pays more than the oracle's price
    by its fee and `least_edge` is sold to, down to the band's lower edge, and a cheap one is bought from, up to the
    upper. Outside the band the pools' prices decide nothing: exposure goes back to its edge.

    Earns: the distance of pools from the oracle's price, each time they are apart on alternate sides.
    Risks: that the pool is right and the oracle late: what looks dear is then sold just before a rise.
    Loses: in trends, where pools lead the oracle. Faults of the price (deviation, staleness) stop it before that.
    """

    target_delta: Annotated[float, Range(-1e9, 1e9, "whole base tokens")] = 0.0
    band: Annotated[float, Range(1e-6, 1e9, "whole base tokens")] = 1.0
    least_edge: Annotated[float, Range(0.0, 0.10, "of price, after the pool's fee")] = 0.001
    gas: Annotated[float, Range(0, 1e7, "gas of one trade")] = 600_000
    health_margin: Annotated[float, Range(0.0, 10.0, "over the mandate's minimum")] = 0.10

    def __post_init__(self) -> None:
        check_ranges(self)

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """Where exposure should be, for the pools as they are."""
        reason = blocked(market, risk)
        if reason:
            return hold(reason)
        pools = usable_pools(market)
        if not pools:
            return hold("no pool can be read")
        total = delta_of(market, risk)
        low, high = self.target_delta - self.band, self.target_delta + self.band
        if not low <= total <= high:
            edge = low if total < low else high
            return self._to(market, risk, edge - total, f"delta {total:.4f} is outside its band")
        trade, gain, pool = max(
            (self._offer(market, pool, total) for pool in pools), key=lambda one: one[1]
        )
        cost = fixed_cost(market, self.gas)
        if gain <= cost:
            return hold(f"pools offer {gain:.2f} inside the band and a trade costs {cost:.2f}")
        side = "sell" if trade < 0 else "buy"
        said = f"{side} {abs(trade):.4f} at pool {pool[:10]}, {gain:.2f} from the oracle's price"
        return self._to(market, risk, trade, said)

    def _offer(
        self, market: MarketState, pool: PoolQuote, total: float
    ) -> tuple[float, float, str]:
        """(base to buy, what that gains over the oracle's price, the pool): until the pool's price, its fee paid, is
        within `least_edge` of the oracle's, or the band's edge is reached."""
        price, kept, depth = price_of(market), 1 - pool.fee_pips / PIPS, pool.liquidity
        dear = pool.price * kept / (price * (1 + self.least_edge))
        cheap = price * (1 - self.least_edge) * kept / pool.price
        if dear > 1:
            # Selling x brings x kept p / (1 + x / depth).
            size = min(depth * (math.sqrt(dear) - 1), total - (self.target_delta - self.band))
            received = size * kept * pool.price / (1 + size / depth)
            return -size, received - size * price, pool.pool
        if cheap > 1:
            # Buying x costs x p / kept / (1 - x / depth).
            most = depth * (1 - 1 / math.sqrt(cheap))
            size = min(most, self.target_delta + self.band - total)
            paid = size * pool.price / kept / (1 - size / depth)
            return size, size * price - paid, pool.pool
        return 0.0, 0.0, pool.pool

    def _to(self, market: MarketState, risk: RiskReport, trade: float, why: str) -> Target:
        gap = to_base_units(market, trade)
        step = min(abs(gap), room_for(market, risk, gap, self.health_margin))
        if step <= 0:
            return hold(f"{why}, and health leaves no room")
        reached = Raw(risk.net_delta + (step if gap > 0 else -step))
        return replace(hold(why), net_delta=reached)


def usable_pools(market: MarketState) -> tuple[PoolQuote, ...]:
    """The outlook's pools; without any the vault's own."""
    given = market.outlook.pools or own_pool(market)
    return tuple(
        pool
        for pool in given
        if 0 < pool.price < math.inf and 0 < pool.liquidity < math.inf and 0 <= pool.fee_pips < PIPS
    )


def own_pool(market: MarketState) -> tuple[PoolQuote, ...]:
    """The pool of the readings, in range: with s = sqrt(token1 / token0), reserves are L / s and L s."""
    readings = market.readings
    pool = readings.pool
    if not readings.pool_readable or pool.sqrt_price_x96 <= 0:
        return ()
    root = pool.sqrt_price_x96 / Q96
    base, asset = pool.liquidity / root, pool.liquidity * root
    if not pool.base_is_token0:
        base, asset = asset, base
    base /= unit(readings.base.decimals)
    asset /= unit(readings.asset.decimals)
    price = asset / base if base > 0 else 0.0
    return (PoolQuote(pool.pool, pool.fee_pips, price, base, pool.tick),)
