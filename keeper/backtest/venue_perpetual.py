"""A simulated perpetual venue: mark, funding, margin and liquidation of one position in base.

    equity = margin + quantity x (mark - entry)

The mark is the market's price. Margin comes from the vault's idle asset and goes back there: after each trade, and
when equity is under `top_up_bps` of the position's value or over twice `keep_bps`, it is brought to `keep_bps`.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from keeper.backtest.ledger import PERPETUAL, Cause
from keeper.backtest.reverts import Reverted
from keeper.backtest.spec import PerpetualSpec
from keeper.model.exposure import BASE, Exposure, Kind
from keeper.model.outlook import Funding
from keeper.model.units import BPS, WAD

if TYPE_CHECKING:
    from keeper.backtest.events import FundingEvent
    from keeper.backtest.world import World

DAY_S = 86_400
YEAR_S = 365 * DAY_S


@dataclass(slots=True)
class PerpetualVenue:
    """One account there. Quantities in base units, money in asset units."""

    spec: PerpetualSpec
    scale: int
    margin: int = 0
    quantity: int = 0
    mark_wad: int = 0
    entry_wad: int = 0
    rate: float = 0.0
    """Of the last funding, a year."""
    heard: bool = False
    """A funding rate was given: the venue is there."""
    payments: deque[tuple[int, int]] = field(default_factory=deque)
    """(rate of the period in WAD, seconds) of the fundings that the average is over, oldest first."""
    covered_s: int = 0
    """Seconds of them in all."""

    @property
    def equity(self) -> int:
        """What the account is worth, rounded down."""
        return self.margin + self.quantity * (self.mark_wad - self.entry_wad) // self.scale

    @property
    def notional(self) -> int:
        """Value of the position, rounded up."""
        return -(-abs(self.quantity) * self.mark_wad // self.scale)

    def remark(self, price_wad: int) -> None:
        """A new mark."""
        self.mark_wad = price_wad

    def offer(self) -> tuple[Funding, ...]:
        """What the venue offers; nothing before its first funding rate is known."""
        if not self.heard:
            return ()
        spec, mark = self.spec, self.mark_wad / WAD
        most = spec.most_notional / 10**spec.asset_decimals
        maintenance, fee = spec.maintenance_bps / BPS, (spec.fee_bps + spec.spread_bps) / BPS
        paid = sum(rate for rate, _ in self.payments) / WAD
        average, days = paid * YEAR_S / self.covered_s, self.covered_s / DAY_S
        return (Funding(spec.venue, self.rate, mark, mark, maintenance, fee, most, average, days),)

    def exposures(self, base_unit: int, asset_unit: int) -> tuple[Exposure, ...]:
        """The position and the cash behind it, as risk reads them."""
        if self.quantity == 0 and self.margin == 0:
            return ()
        spec = self.spec
        cash = Exposure(
            f"{spec.venue}:margin", Kind.CASH, spec.venue, "asset", self.margin / asset_unit
        )
        if self.quantity == 0:
            return (cash,)
        position = Exposure(
            id=spec.instrument,
            kind=Kind.PERPETUAL,
            venue=spec.venue,
            underlying=BASE,
            quantity=self.quantity / base_unit,
            entry=self.entry_wad / WAD,
            rate=self.rate,
        )
        return (cash, position)

    def trade(self, world: "World", quantity: int, limit_wad: int) -> int:
        """Take a quantity (base units, signed) at the mark and half the spread; returns the fill price (WAD).

        Reverted beyond the limit price, the venue's size, or the margin that is there.
        """
        spec, sign = self.spec, 1 if quantity > 0 else -1
        fill = self.mark_wad * (BPS + sign * spec.spread_bps) // BPS
        if limit_wad and (fill - limit_wad) * sign > 0:
            raise Reverted("PriceMoved", fill, limit_wad)
        after = self.quantity + quantity
        value = -(-abs(after) * self.mark_wad // self.scale)
        grows = abs(after) > abs(self.quantity)
        if grows and value > spec.most_notional:
            raise Reverted("PositionTooLarge", value, spec.most_notional)
        needed = value * spec.initial_bps // BPS
        if grows and self.equity + max(0, world.idle_asset) < needed:
            raise Reverted("MarginTooLow", self.equity + world.idle_asset, needed)
        world.booked(Cause.VENUE_FEE, PERPETUAL, self._fill, quantity, fill)
        self.keep(world, always=True)
        return fill

    def _fill(self, quantity: int, fill_wad: int) -> None:
        """Realise what the position has made at the mark, then take the new one at its own price."""
        self.margin = self.equity
        paid = -(-quantity * (fill_wad - self.mark_wad) // self.scale)
        value = abs(quantity) * fill_wad // self.scale
        self.margin -= paid + -(-value * self.spec.fee_bps // BPS)
        self.quantity += quantity
        if abs(self.quantity) * self.mark_wad < self.scale:
            self.quantity = (
                0  # worth less than a unit: no venue keeps it, and it would be called for margin
            )
        self.entry_wad = self.mark_wad

    def keep(self, world: "World", *, always: bool = False) -> None:
        """Move cash between the vault and the venue, as the module says."""
        spec, notional, equity = self.spec, self.notional, self.equity
        wanted = notional * spec.keep_bps // BPS
        low, high = notional * spec.top_up_bps // BPS, 2 * wanted
        if not always and low <= equity <= high:
            return
        moved = min(wanted - equity, max(0, world.idle_asset))
        # what the position has not yet earned in cash cannot leave
        moved = max(moved, -max(0, self.margin))
        self.margin += moved
        world.idle_asset -= moved

    def pay_funding(self, world: "World", event: "FundingEvent") -> None:
        """Longs pay shorts for the period that ended."""
        self.heard = True
        self.rate = event.rate_wad / WAD * YEAR_S / event.period_s
        self.payments.append((event.rate_wad, event.period_s))
        self.covered_s += event.period_s
        while self.covered_s - self.payments[0][1] >= self.spec.average_s:
            self.covered_s -= self.payments.popleft()[1]
        if self.quantity:
            due = -(-self.quantity * self.mark_wad * event.rate_wad // (self.scale * WAD))
            world.booked(Cause.FUNDING, PERPETUAL, self._pay, due)

    def _pay(self, due: int) -> None:
        self.margin -= due

    def liquidatable(self) -> bool:
        """Equity is under maintenance."""
        return bool(self.quantity) and self.equity * BPS < self.notional * self.spec.maintenance_bps

    def close_out(self, world: "World") -> int:
        """The venue closes the position at the mark and keeps its fee; returns what the closing made final.

        That is the cash there before it less what is given back, and at least the fee. NAV fell by most of it
        already, with the mark, so the change of NAV by the closing alone is no measure of it: over a gap beyond the
        margin it is a gain, because the venue bears what is owed, and the account is gone all the same. What the
        venue bears is booked with the marks that made it, the fee as liquidation.
        """
        cash, notional = self.margin, self.notional

        def settle() -> None:
            self.margin = max(0, self.equity)
            self.quantity = 0

        def charge() -> None:
            self.margin -= min(self.margin, notional * self.spec.liquidation_fee_bps // BPS)

        world.booked(Cause.PERPETUAL, PERPETUAL, settle)
        fee = -world.booked(Cause.LIQUIDATION, PERPETUAL, charge)
        loss = max(fee, cash - self.margin)
        self.keep(world, always=True)
        return loss
