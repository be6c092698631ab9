"""The vault's option desk: series written against full collateral, auctions, bidders, options bought, and expiry.

An auction's price moves in a straight line over its duration: a sale falls from its start to the model's reserve, a
purchase rises to the keeper's limit. Bidders look at it at intervals; each has a valuation under the market's own,
takes one share, and pays the auction's price once that is not above it. What is not sold is burned and its collateral
freed.
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from keeper.backtest.desk_state import series_id
from keeper.backtest.ledger import OPTIONS, Cause
from keeper.backtest.option_market import OptionMarket, Terms, Value, per_base_wad
from keeper.backtest.option_parts import (
    NO_GREEKS,
    Auction,
    Fill,
    Greeks,
    Series,
    intrinsic_wad,
    payoff_up,
)
from keeper.backtest.reverts import Reverted
from keeper.backtest.spec import OptionsSpec
from keeper.model.exposure import BASE, Exposure, Kind
from keeper.model.market import NO_OPTIONS, BookValue, OptionPosition
from keeper.model.units import BPS, WAD, Raw, Wad

if TYPE_CHECKING:
    from keeper.backtest.world import World

DESK_ADDRESS = "0x" + "de" * 20
LOOKS = 12
"""How often bidders look at one auction."""
YEAR_S = 365 * 86_400


@dataclass(slots=True)
class Desk:
    """Everything in options."""

    spec: OptionsSpec
    scale: int
    base_decimals: int
    asset_decimals: int
    market: OptionMarket = field(init=False)
    series: dict[str, Series] = field(default_factory=dict)
    bought: dict[str, tuple[Terms, int]] = field(default_factory=dict)
    auctions: dict[int, Auction] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    collateral_base: int = 0
    collateral_asset: int = 0
    """Of puts, and cash waiting in purchases."""
    escrow: int = 0
    """Of it, cash waiting in purchases."""
    liability_low: int = 0
    liability_mid: int = 0
    liability_high: int = 0
    bought_value: int = 0
    delta_base: int = 0
    vega: int = 0
    known: bool = True
    opened: int = 0
    asked: dict[str, None] = field(default_factory=dict)
    """Ids of series that a plan wants to know of, in the order of asking."""
    explained: dict[str, float] = field(default_factory=dict)
    """Changes of marks by Greek, asset units; what they leave over is the residual."""
    greeks: Greeks = NO_GREEKS
    _marked: tuple[int, int, list[tuple[float, Terms, Value]]] = (0, 0, [])
    """(price, time, what was held) at the last marks."""

    def __post_init__(self) -> None:
        self.market = OptionMarket(self.spec)

    def copied(self) -> "Desk":
        """Another one in the same state; the market is shared, no transaction changes it."""
        other = replace(
            self,
            series={key: replace(s) for key, s in self.series.items()},
            bought=dict(self.bought),
            auctions={n: replace(a) for n, a in self.auctions.items()},
            fills=list(self.fills),
            explained=dict(self.explained),
        )
        other.market = self.market
        return other

    def expiries(self) -> list[tuple[str, int]]:
        """Every series there is, with its expiry."""
        if self.idle:
            return []
        found = {key: held.terms.expiry for key, held in self.series.items()}
        found |= {key: terms.expiry for key, (terms, _) in self.bought.items()}
        return list(found.items())

    @property
    def idle(self) -> bool:
        """Nothing written, bought or on offer."""
        return not (self.series or self.bought or self.auctions)

    # ---------------------------------------------------------------- marks

    def remark(self, world: "World") -> None:
        """Mark everything at the oracle's price, the time and the market's volatility; book what that changes."""
        if self.idle:
            return
        before = self._marked
        world.booked(Cause.OPTIONS, OPTIONS, self.measure, world.oracle.price_wad, world.time)
        self._explain(before, world.oracle.price_wad, world.time)

    def measure(self, price_wad: int, now: int) -> None:
        """Marks, delta and vega of the book; options that cannot be valued count at intrinsic value."""
        low = mid = high = delta = vega = 0
        self.known = True
        for held in self.series.values():
            marks = self._marks(held.terms, price_wad, now)
            low += held.sold * marks[0]
            mid += held.sold * marks[1]
            high += held.sold * marks[2]
            delta -= held.sold * marks[3]
            vega += held.written * marks[4]
        unit = self.scale
        self.liability_low, self.liability_mid = low // unit, -(-mid // unit)
        self.liability_high, self.vega = -(-high // unit), -(-vega // unit)
        self.delta_base = delta // WAD
        self.bought_value = sum(
            quantity * self._marks(terms, price_wad, now)[1] // unit
            for terms, quantity in self.bought.values()
        )
        self._remember(price_wad, now)

    def _remember(self, price_wad: int, now: int) -> None:
        """What is held, and its Greeks: of the book as a whole, and to explain the next marks with."""
        unit = 10**self.base_decimals
        held = [(-s.sold / unit, s.terms) for s in self.series.values() if s.sold]
        held += [(quantity / unit, terms) for terms, quantity in self.bought.values()]
        valued = [(q, terms, self.market.value(terms, price_wad, now)) for q, terms in held]
        known = [(q, terms, value) for q, terms, value in valued if value is not None]
        self._marked = (price_wad, now, known)
        self.greeks = Greeks(
            *(
                sum(q * float(getattr(value, name)) for q, _, value in known)
                for name in Greeks._fields
            )
        )

    def _explain(
        self, before: tuple[int, int, list[tuple[float, Terms, Value]]], price_wad: int, now: int
    ) -> None:
        """What Greeks say the change of marks was: to the second order in price and volatility, first in time."""
        was, then, held = before
        moved, years = (price_wad - was) / WAD, (now - then) / YEAR_S
        unit, out = 10**self.asset_decimals, self.explained
        for quantity, terms, value in held:
            after = self.market.value(terms, price_wad, now)
            if after is None:
                continue
            vol, scaled = after.volatility - value.volatility, quantity * unit
            for name, amount in (
                ("delta", value.delta * moved),
                ("gamma", 0.5 * value.gamma * moved**2),
                ("theta", value.theta * years),
                ("vega", value.vega * vol),
                ("vanna", value.vanna * moved * vol),
                ("volga", 0.5 * value.volga * vol**2),
            ):
                out[name] = out.get(name, 0.0) + scaled * amount

    def _marks(self, terms: Terms, price_wad: int, now: int) -> tuple[int, int, int, int, int]:
        """Low, mid and high mark, delta and vega of one base unit, WAD."""
        half = self.spec.half_spread_bps
        values = self.market.values(terms, price_wad, now, (-half, 0, half))
        if values[1] is None or values[0] is None or values[2] is None:
            self.known = False
            worth = intrinsic_wad(terms, price_wad)
            return worth, worth, worth, 0, 0
        marks = sorted(per_base_wad(v.price) for v in values if v is not None)
        mid = values[1]
        return marks[0], marks[1], marks[2], per_base_wad(mid.delta), abs(per_base_wad(mid.vega))

    def liabilities_at(self, price_wad: int, now: int) -> tuple[int, int]:
        """What is owed on options sold, low and high, at another price than the one they are marked at."""
        low = high = 0
        for held in self.series.values():
            marks = self._marks(held.terms, price_wad, now)
            low += held.sold * marks[0]
            high += held.sold * marks[2]
        return low // self.scale, -(-high // self.scale)

    def book(self) -> BookValue:
        """As NAV sees it."""
        if not self.series and not self.auctions:
            return NO_OPTIONS
        return BookValue(
            Raw(self.collateral_base),
            Raw(self.collateral_asset - self.escrow),
            Raw(self.escrow),
            Raw(self.liability_low),
            Raw(self.liability_mid),
            Raw(self.liability_high),
            self.delta_base,
            Raw(self.vega),
            Raw(sum(s.written for s in self.series.values())),
            len(self.series),
            False,
        )

    def positions(self, price_wad: int, now: int) -> tuple[OptionPosition, ...]:
        """As the lens reads them."""
        found = []
        for held in self.series.values():
            low, mid, high, delta, _ = self._marks(held.terms, price_wad, now)
            value = self.market.value(held.terms, price_wad, now)
            gamma, vega = (value.gamma, value.vega) if value else (0.0, 0.0)
            asset, t, sold = 10**self.asset_decimals, held.terms, held.sold
            found.append(
                OptionPosition(
                    series_id(held.terms),
                    t.is_call,
                    Wad(t.strike_wad),
                    Wad(t.second_strike_wad),
                    t.expiry,
                    Raw(held.written),
                    Raw(sold),
                    Raw(held.unsold),
                    Raw(sold * low // self.scale),
                    Raw(-(-sold * mid // self.scale)),
                    Raw(-(-sold * high // self.scale)),
                    -sold * delta // WAD,
                    -round(sold * gamma * WAD),
                    -round(sold * vega * asset / 10**self.base_decimals),
                    0,
                    False,
                )
            )
        return tuple(found)

    def exposures(self, price_wad: int, now: int) -> tuple[Exposure, ...]:
        """Options bought, which the vault's readings do not show."""
        found = []
        for terms, quantity in self.bought.values():
            value = self.market.value(terms, price_wad, now)
            found.append(
                Exposure(
                    id=terms.instrument,
                    kind=Kind.OPTION,
                    venue=self.spec.venue,
                    underlying=BASE,
                    quantity=quantity / 10**self.base_decimals,
                    is_call=terms.is_call,
                    strike=terms.strike_wad / WAD,
                    years=max(0, terms.expiry - now) / YEAR_S,
                    volatility=value.volatility if value else None,
                    raw=quantity,
                )
            )
        return tuple(found)

    # ---------------------------------------------------------------- the vault's moves

    def write(self, world: "World", terms: Terms, amount: int, start_wad: int) -> Auction:
        """Lock the collateral and open the sale."""
        limits, now = world.spec.terms.options, world.time
        tenor = terms.expiry - now
        if not limits.min_tenor_s <= tenor <= limits.max_tenor_s:
            raise Reverted("TenorOutOfBounds", tenor, limits.min_tenor_s, limits.max_tenor_s)
        value = self.market.value(terms, world.oracle.price_wad, now)
        if value is None:
            raise Reverted("VolatilityUnknown")
        delta_bps = round(abs(value.delta) * BPS)
        if not limits.min_delta_bps <= delta_bps <= limits.max_delta_bps:
            raise Reverted(
                "DeltaOutOfBounds", delta_bps, limits.min_delta_bps, limits.max_delta_bps
            )
        held = self.series.get(terms.key)
        if held is None:
            if len(self.series) >= limits.max_series:
                raise Reverted("TooManySeries", len(self.series), limits.max_series)
            held = self.series[terms.key] = Series(terms)
        collateral = self._collateral_up(terms, held.written + amount)
        self._lock(world, terms, collateral - self._collateral_up(terms, held.written))
        held.written += amount
        held.unsold += amount
        reserve = self._reserve_wad(terms, world, limits.reserve_discount_bps)
        ends = now + limits.auction_duration_s
        return self._open(
            Auction(0, terms, True, amount, max(start_wad, reserve), reserve, now, ends)
        )

    def buy_back(self, world: "World", terms: Terms, amount: int, limit_wad: int) -> Auction:
        """Put cash aside and ask for what was sold."""
        held = self.series.get(terms.key)
        if held is None or amount > held.sold:
            raise Reverted("MoreThanSold", terms.key, amount, held.sold if held else 0)
        cash = -(-amount * limit_wad // self.scale)
        if cash > world.idle_asset:
            raise Reverted("IdleTooLow", "asset", cash, world.idle_asset)
        world.idle_asset -= cash
        self.collateral_asset += cash
        self.escrow += cash
        mid = self._marks(terms, world.oracle.price_wad, world.time)[1]
        ends = world.time + world.spec.terms.options.auction_duration_s
        start = min(limit_wad, mid)
        return self._open(
            Auction(0, terms, False, amount, start, limit_wad, world.time, ends, escrow=cash)
        )

    def trade_bought(self, world: "World", terms: Terms, quantity: int, limit_wad: int) -> None:
        """Buy from, or sell back to, a dealer at his side of the market."""
        held = self.bought.get(terms.key, (terms, 0))[1]
        if quantity < 0 and held < -quantity:
            raise Reverted("MoreThanHeld", terms.key, -quantity, held)
        tilt = self.spec.ask_premium_bps if quantity > 0 else -self.spec.bid_discount_bps
        value = self.market.value(terms, world.oracle.price_wad, world.time, tilt)
        if value is None or terms.expiry <= world.time:
            raise Reverted("NotQuoted", terms.key)
        price = per_base_wad(value.price)
        if limit_wad and (price - limit_wad) * quantity > 0:
            raise Reverted("PriceMoved", price, limit_wad)
        paid = -(-quantity * price // self.scale)
        if paid > world.idle_asset:
            raise Reverted("IdleTooLow", "asset", paid, world.idle_asset)

        def change() -> None:
            world.idle_asset -= paid
            self.bought[terms.key] = (terms, held + quantity)
            if held + quantity == 0:
                del self.bought[terms.key]
            self.measure(world.oracle.price_wad, world.time)

        spread = world.booked(Cause.SPREAD, OPTIONS, change)
        self.fills.append(Fill(world.time, terms.key, quantity, price, paid, spread))

    # ---------------------------------------------------------------- others

    def look(self, world: "World", number: int) -> int | None:
        """Bidders look at an auction; returns when they look again, None when it is over."""
        auction = self.auctions.get(number)
        if auction is None:
            return None
        if world.time >= auction.terms.expiry:
            return None
        self._offers(world, auction)
        if auction.left == 0 or world.time >= auction.ends:
            self.close(world, auction)
            return None
        step = max(world.spec.chain.block_s, (auction.ends - auction.began) // LOOKS)
        return min(auction.ends, world.time + step)

    def expire(self, world: "World", key: str) -> None:
        """Settle a series at the oracle's price, free its collateral, and pay what was bought."""
        for auction in [a for a in self.auctions.values() if a.terms.key == key]:
            self.close(world, auction)
        world.booked(Cause.SETTLEMENT, OPTIONS, self._settle, world, key)

    # ---------------------------------------------------------------- inside

    def _open(self, auction: Auction) -> Auction:
        self.opened += 1
        auction.number = self.opened
        self.auctions[auction.number] = auction
        return auction

    def _offers(self, world: "World", auction: Auction) -> None:
        spec, price = self.spec, auction.price_wad(world.time)
        while auction.left and auction.bidders_done < spec.bidders:
            if auction.sale:
                tilt = -(spec.bid_discount_bps + auction.bidders_done * spec.bidder_step_bps)
            else:
                tilt = spec.ask_premium_bps + auction.bidders_done * spec.bidder_step_bps
            value = self.market.value(auction.terms, world.oracle.price_wad, world.time, tilt)
            if value is None:
                return
            worth = per_base_wad(value.price)
            if (price > worth) if auction.sale else (price < worth):
                return
            auction.bidders_done += 1
            self._fill(world, auction, min(auction.left, spec.bidder_size), price)

    def _fill(self, world: "World", auction: Auction, amount: int, price_wad: int) -> None:
        """One bidder's share; a loss against the mark that the mandate does not allow stops it."""
        held = self.series[auction.terms.key]
        mark = self._marks(auction.terms, world.oracle.price_wad, world.time)[1]
        sale = auction.sale
        paid = -(-amount * price_wad // self.scale) if sale else amount * price_wad // self.scale
        loss = max(0, -(-amount * (mark - price_wad) * (1 if sale else -1) // self.scale))
        if loss:
            try:
                world.mandate.charge_fill(world.time, loss, world.nav())
            except Reverted:
                return

        def change() -> None:
            auction.left -= amount
            if sale:
                held.unsold -= amount
                world.idle_asset += paid
            else:
                auction.escrow -= paid
                self.escrow -= paid
                self.collateral_asset -= paid
                self._shrink(world, held, amount)
            self.measure(world.oracle.price_wad, world.time)

        spread = world.booked(Cause.SPREAD, OPTIONS, change)
        quantity = -amount if sale else amount
        self.fills.append(
            Fill(
                world.time, auction.terms.key, quantity, price_wad, -paid if sale else paid, spread
            )
        )

    def close(self, world: "World", auction: Auction) -> None:
        """What is not sold is burned; cash that is left comes back. NAV does not change."""
        del self.auctions[auction.number]
        if auction.sale:
            held = self.series[auction.terms.key]
            held.unsold -= auction.left
            self._shrink(world, held, auction.left)
        self.escrow -= auction.escrow
        self.collateral_asset -= auction.escrow
        world.idle_asset += auction.escrow
        if auction.sale or auction.escrow:
            world.booked(Cause.ROUNDING, OPTIONS, self.measure, world.oracle.price_wad, world.time)

    def _settle(self, world: "World", key: str) -> None:
        price = world.oracle.price_wad
        held = self.series.pop(key, None)
        if held is not None:
            terms = held.terms
            collateral = self._collateral_up(terms, held.written)
            payoff = payoff_up(terms, held.sold, price, self.scale)
            if terms.is_call:
                self.collateral_base -= collateral
                world.idle_base += collateral - min(payoff, collateral)
            else:
                self.collateral_asset -= collateral
                world.idle_asset += collateral - min(payoff, collateral)
        if key in self.bought:
            long, quantity = self.bought.pop(key)
            world.idle_asset += quantity * intrinsic_wad(long, price) // self.scale
        self.measure(price, world.time)

    def _shrink(self, world: "World", held: Series, amount: int) -> None:
        terms = held.terms
        freed = self._collateral_up(terms, held.written)
        held.written -= amount
        freed -= self._collateral_up(terms, held.written)
        self._lock(world, terms, -freed)
        if held.written == 0:
            del self.series[terms.key]

    def _lock(self, world: "World", terms: Terms, amount: int) -> None:
        idle = world.idle_base if terms.is_call else world.idle_asset
        if amount > idle:
            raise Reverted("IdleTooLow", "base" if terms.is_call else "asset", amount, idle)
        if terms.is_call:
            world.idle_base -= amount
            self.collateral_base += amount
        else:
            world.idle_asset -= amount
            self.collateral_asset += amount

    def _collateral_up(self, terms: Terms, amount: int) -> int:
        """The most that may be owed: base for calls, asset for puts."""
        first, second = terms.strike_wad, terms.second_strike_wad
        if terms.is_call:
            return amount if not second else -(-amount * (second - first) // second)
        return -(-amount * (first - second) // self.scale)

    def _reserve_wad(self, terms: Terms, world: "World", discount_bps: int) -> int:
        """The model's value at the floor of volatility, less the mandate's discount, rounded up."""
        market, spot = self.market, world.oracle.price_wad
        level, realised = market.at_money(), market.realised
        if level is None:
            raise Reverted("VolatilityUnknown")
        floor = (realised if realised is not None else level) * self.spec.floor_ratio_bps / BPS
        tilt = min(0, round((floor / level - 1) * BPS))
        value = market.value(terms, spot, world.time, tilt)
        if value is None:
            raise Reverted("VolatilityFloorUnknown")
        return -(-per_base_wad(value.price) * (BPS - discount_bps) // BPS)
