"""Keeps the pool at the market: trades to where another trade would no longer pay its fee."""

from collections.abc import Sequence
from dataclasses import dataclass

from keeper.localnet.actors.calldata import Swap
from keeper.localnet.actors.values import Order, Sight, Tick
from keeper.localnet.protocols.uniswap import FEE_PIPS, Pair
from keeper.model.units import Wei

PIPS = 1_000_000
TIP_WEI = Wei(2 * 10**9)
GAS = 2_000_000
"""A gap of 15 % crosses the ends of several positions in one swap."""


@dataclass(frozen=True, slots=True)
class Trade:
    """Sell WETH (or buy it) until the pool's price is `until`, in USD per WETH."""

    sell_weth: bool
    until: float


def decide(pool_price: float, market_price: float, fee_pips: int = FEE_PIPS) -> Trade | None:
    """The trade that takes all profit, or None if the pool is within its fee of the market."""
    fee = fee_pips / PIPS
    top, bottom = market_price / (1 - fee), market_price * (1 - fee)
    if pool_price > top:
        return Trade(sell_weth=True, until=top)
    if pool_price < bottom:
        return Trade(sell_weth=False, until=bottom)
    return None


@dataclass(frozen=True, slots=True)
class Arbitrageur:
    """One swap with a price limit: the pool itself stops it exactly at the target, whatever ticks lie between."""

    account: str
    router: str
    pair: Pair
    tip_wei: Wei = TIP_WEI
    name: str = "arbitrageur"

    def act(self, sight: Sight, tick: Tick) -> Sequence[Order]:
        """The swap to the market, if one pays."""
        pool_price = self.pair.scale.price_usd(sight.pool_sqrt_price_x96)
        trade = decide(pool_price, tick.market_price)
        if trade is None:
            return ()
        held = sight.holdings[self.account]
        amount = held.weth if trade.sell_weth else held.usdc
        limit = self.pair.scale.sqrt_price_x96(trade.until)
        if amount == 0 or not self._moves(sight.pool_sqrt_price_x96, limit, trade):
            return ()
        weth, usdc = self.pair.weth, self.pair.usdc
        token_in, token_out = (weth, usdc) if trade.sell_weth else (usdc, weth)
        swap = Swap(token_in, token_out, FEE_PIPS, self.account, amount, sqrt_price_limit=limit)
        return (Order(self.account, self.router, swap.data(), GAS, self.tip_wei),)

    def _moves(self, now: int, limit: int, trade: Trade) -> bool:
        """False if integer rounding left nothing between here and the limit; the pool would refuse that."""
        falls = trade.sell_weth == self.pair.scale.weth_is_token0
        return limit < now if falls else limit > now
