"""What the replayed keeper knows beyond its readings: the same as the backtest's, from the chain's own readings."""

import math
from dataclasses import dataclass, field

from keeper.backtest.ends import DAY_S, LENDING, YEAR_S
from keeper.backtest.option_market import OptionMarket
from keeper.backtest.spec import RAY, OptionsSpec
from keeper.model.exposure import Exposure
from keeper.model.market import Readings, TokenPosition
from keeper.model.outlook import LendingRate, Outlook, PoolQuote
from keeper.model.units import BPS, WAD, Raw
from keeper.replay_market.books import Holdings, price_of


@dataclass(slots=True)
class Around:
    """Forecast from the market's prices so far, rates and pool from the readings, drawdown from the vault's own NAV."""

    default_volatility: float | None
    history: OptionMarket = field(default_factory=lambda: OptionMarket(OptionsSpec()))
    _market_wad: int = 0
    _peak: float = 0.0
    _variance: float | None = None
    _last: tuple[int, float] | None = None

    def observe(self, time: int, price_wad: int) -> None:
        """The market, as each block is made."""
        self._market_wad = price_wad
        self.history.observe(time, price_wad / WAD)

    def look(self, readings: Readings) -> tuple[Outlook, tuple[Exposure, ...]]:
        """The outlook at the block of the readings; nothing is held beyond them."""
        realised = self.history.realised
        drawdown, returns = self._of_nav(readings)
        outlook = Outlook(
            volatility=self.default_volatility if realised is None else realised,
            lending=(_rate(readings.asset_position), _rate(readings.base_position)),
            pools=(self._pool(readings),),
            base_fee_wei=readings.block.base_fee_wei,
            drawdown=drawdown,
            returns_volatility=returns,
        )
        return outlook, ()

    def _of_nav(self, readings: Readings) -> tuple[float, float | None]:
        """As the backtest has it: of the share's value, which moves as NAV does while nobody comes or goes."""
        scale = WAD * 10 ** (readings.base.decimals - readings.asset.decimals)
        value = float(Holdings.of(readings).nav(price_of(readings), scale) + 1)
        time = readings.block.timestamp
        self._peak = max(self._peak, value)
        if self._last is None or (time > self._last[0] and self._last[1] > 0 < value):
            if self._last is not None:
                at, before = self._last
                squared = math.log(value / before) ** 2 * YEAR_S / (time - at)
                weight = min(1.0, (time - at) / (30 * DAY_S))
                old = squared if self._variance is None else self._variance
                self._variance = old + weight * (squared - old)
            self._last = (time, value)
        drawdown = 1.0 - value / self._peak if self._peak > 0 else 0.0
        return drawdown, None if self._variance is None else math.sqrt(self._variance)

    def _pool(self, readings: Readings) -> PoolQuote:
        pool = readings.pool
        root, q96 = pool.sqrt_price_x96, 1 << 96
        reserve = pool.liquidity * (q96 / root if pool.base_is_token0 else root / q96)
        whole = reserve / 10**readings.base.decimals
        return PoolQuote(pool.pool, pool.fee_pips, self._market_wad / WAD, whole, pool.tick)


def _rate(position: TokenPosition) -> LendingRate:
    return LendingRate(
        LENDING,
        position.token,
        position.supply_rate_ray / RAY,
        position.borrow_rate_ray / RAY,
        position.ltv_bps / BPS,
        position.liquidation_threshold_bps / BPS,
        position.available,
        Raw(2**127),
    )
