"""Trades for reasons of its own: small swaps both ways, the same for the same seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

import numpy as np

from keeper.localnet.actors.calldata import Swap
from keeper.localnet.actors.values import Order, Sight, Tick
from keeper.localnet.protocols.tokens import DOLLAR, ETHER
from keeper.localnet.protocols.uniswap import FEE_PIPS, Pair
from keeper.model.units import Raw, Wei

TIP_WEI = Wei(10**9)
GAS = 600_000


@dataclass(frozen=True, slots=True)
class NoiseTrade:
    """A swap by value."""

    sell_weth: bool
    usd: float


def decide(
    seed: int, index: int, *, probability: float, median_usd: float, largest_usd: float
) -> NoiseTrade | None:
    """The swap of one block, or None. Depends on nothing but its arguments, whatever was asked before."""
    # As unsigned integers: a list of large ones would pass through floats and lose seeds.
    key = np.array([seed, index], dtype=np.uint64)
    rng = np.random.Generator(np.random.Philox(key=key))
    chance, side, size = rng.random(), rng.random(), rng.standard_normal()
    if chance >= probability:
        return None
    return NoiseTrade(sell_weth=bool(side < 0.5), usd=min(largest_usd, exp(log(median_usd) + size)))


@dataclass(frozen=True, slots=True)
class NoiseTrader:
    """Swaps in some of the blocks; sizes are log-normal around a median."""

    account: str
    router: str
    pair: Pair
    seed: int
    probability: float = 0.35
    """Of a swap in a block."""
    median_usd: float = 4_000.0
    largest_usd: float = 50_000.0
    tip_wei: Wei = TIP_WEI
    name: str = "noise_trader"

    def act(self, sight: Sight, tick: Tick) -> Sequence[Order]:
        """The swap of this block, as far as there is something to sell."""
        trade = decide(
            self.seed,
            tick.index,
            probability=self.probability,
            median_usd=self.median_usd,
            largest_usd=self.largest_usd,
        )
        if trade is None:
            return ()
        held = sight.holdings[self.account]
        wanted = trade.usd * ETHER / tick.market_price if trade.sell_weth else trade.usd * DOLLAR
        amount = min(Raw(int(wanted)), held.weth if trade.sell_weth else held.usdc)
        if amount == 0:
            return ()
        weth, usdc = self.pair.weth, self.pair.usdc
        token_in, token_out = (weth, usdc) if trade.sell_weth else (usdc, weth)
        swap = Swap(token_in, token_out, FEE_PIPS, self.account, amount)
        return (Order(self.account, self.router, swap.data(), GAS, self.tip_wei),)
