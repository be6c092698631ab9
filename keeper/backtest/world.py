"""The simulated chain around one vault: venues, oracle, mandate, shares, and the books of what changed NAV.

Time only moves forward. Between two steps interest accrues, then events change the market, the arbitrageur brings the
pool to it, the feed answers if it is due, and whoever may liquidate does. Every change of NAV is booked as it is made.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from keeper.backtest.events import (
    Event,
    FlowEvent,
    FundingEvent,
    GasEvent,
    LiquidityEvent,
    PriceEvent,
    QuoteEvent,
    RatesEvent,
    RoundEvent,
    SmilesEvent,
    VolatilityEvent,
)
from keeper.backtest.ledger import LENDING, PERPETUAL, VAULT, CashLedger, Cause
from keeper.backtest.mandate import Mandate
from keeper.backtest.oracle import ANSWER, Feed, Oracle
from keeper.backtest.shares import Shares
from keeper.backtest.spec import BacktestSpec
from keeper.backtest.venue_lending import LendingVenue, Reserve, Seizure
from keeper.backtest.venue_options import Desk
from keeper.backtest.venue_perpetual import PerpetualVenue
from keeper.backtest.venue_pool import Pool
from keeper.errors import MarketDataError
from keeper.model.market import PriceFault
from keeper.model.units import BPS, WAD


@dataclass(frozen=True, slots=True)
class Liquidated:
    """One liquidation at one venue."""

    time: int
    venue: str
    loss: int
    """Asset units at the oracle's price."""
    detail: Seizure | None = None


@dataclass(slots=True)
class World:
    """Mutable, and changed by nothing but its own methods and the vault's transactions."""

    spec: BacktestSpec
    scale: int
    """Base units x price WAD / scale = asset units."""
    time: int
    started_at: int
    market_wad: int
    base_fee_wei: int
    keeper_wei: int
    oracle: Oracle
    pool: Pool
    lending: LendingVenue
    mandate: Mandate
    shares: Shares
    ledger: CashLedger
    desk: Desk
    perpetual: PerpetualVenue
    idle_asset: int
    idle_base: int
    unhedged_at: int = 0
    rounds_given: bool = False
    liquidations: list[Liquidated] = field(default_factory=list)
    _answer_due: tuple[int, int] | None = None
    """(time, answer) of a round on its way."""

    @classmethod
    def opened(
        cls, spec: BacktestSpec, time: int, price_wad: int, answer: int | None = None
    ) -> "World":
        """The world at its first price, everything in balance; `answer` of the base feed if rounds are given."""
        h, scale = spec.holdings, WAD * 10 ** (spec.base.decimals - spec.asset.decimals)
        first = answer if answer is not None else price_wad * ANSWER // WAD
        oracle = Oracle(spec.oracle, spec.pool.twap_window_s, Feed(first, time), Feed(ANSWER, time))
        pool = Pool(spec.pool, spec.asset.decimals, spec.base.decimals)
        pool.open(time, price_wad)
        lending = LendingVenue(
            Reserve.of(spec.asset_reserve, spec.asset.decimals, h.supplied_asset, h.debt_asset),
            Reserve.of(spec.base_reserve, spec.base.decimals, h.supplied_base, h.debt_base),
        )
        world = cls(
            spec=spec,
            scale=scale,
            time=time,
            started_at=time,
            market_wad=price_wad,
            base_fee_wei=spec.chain.base_fee_wei,
            keeper_wei=spec.chain.keeper_balance_wei,
            oracle=oracle,
            pool=pool,
            lending=lending,
            mandate=Mandate(spec.terms, beat_at=time),
            shares=Shares.first(spec.fees, spec.epoch_s, spec.asset.decimals, time, 0),
            ledger=CashLedger.opened(0),
            desk=Desk(spec.options, scale, spec.base.decimals, spec.asset.decimals),
            perpetual=PerpetualVenue(
                spec.perpetual, scale, mark_wad=price_wad, entry_wad=price_wad
            ),
            idle_asset=h.idle_asset,
            idle_base=h.idle_base,
            rounds_given=answer is not None,
        )
        nav = world.nav()
        world.shares = Shares.first(spec.fees, spec.epoch_s, spec.asset.decimals, time, nav)
        world.ledger = CashLedger.opened(nav)
        return world

    # ---------------------------------------------------------------- views

    @property
    def block(self) -> int:
        """Number of the block at this time."""
        return (self.time - self.started_at) // self.spec.chain.block_s + 1

    def nav(self) -> int:
        """NAV at the oracle's price, signed: what the contract knows and what is at other venues."""
        lending, desk, perpetual = self.lending, self.desk, self.perpetual
        a, b, price, scale = lending.asset, lending.base, self.oracle.price_wad, self.scale
        long = self.idle_base + b.supplied + desk.collateral_base
        held = self.idle_asset + a.supplied + desk.collateral_asset + long * price // scale
        owed = a.debt + desk.liability_mid
        if b.debt:
            owed -= -b.debt * price // scale
        elsewhere = perpetual.equity if perpetual.quantity else perpetual.margin
        return held - owed + elsewhere + desk.bought_value

    def fault(self) -> PriceFault:
        """Of the vault's oracle, now."""
        return self.oracle.fault(self.time, self.pool.average_wad(self.time))

    @property
    def unhedged(self) -> bool:
        """A venue took collateral, and the curator has not resolved it yet."""
        since = self.unhedged_at
        return bool(since) and self.time < since + self.spec.curator_resolves_s

    # ---------------------------------------------------------------- time and events

    def advance(self, time: int) -> None:
        """Interest up to a time."""
        seconds = time - self.time
        if seconds < 0:
            raise MarketDataError("events", f"time goes back to {time}", "sort the events")
        self.time = time
        if seconds:
            self._accrue(seconds)
        due = self._answer_due
        if due is not None and time >= due[0]:
            self._answer_due = None
            self.answered(due[1])

    def _accrue(self, seconds: int) -> None:
        """Both sides of both reserves."""
        asset, base = self.lending.asset, self.lending.base
        if not (asset.scaled_supply or asset.scaled_debt or base.scaled_supply or base.scaled_debt):
            for reserve in (asset, base):
                reserve.accrue_supply(seconds)
                reserve.accrue_debt(seconds)
            return
        earned = before = self.nav()
        asset.accrue_supply(seconds)
        base.accrue_supply(seconds)
        if asset.scaled_supply or base.scaled_supply:
            earned = self.nav()
            self.book(Cause.INTEREST_EARNED, LENDING, earned - before)
        asset.accrue_debt(seconds)
        base.accrue_debt(seconds)
        if asset.scaled_debt or base.scaled_debt:
            self.book(Cause.INTEREST_PAID, LENDING, self.nav() - earned)

    def apply(self, event: Event) -> None:
        """One event, at this time."""
        match event:
            case PriceEvent():
                self.market_wad = event.price_wad
                self.desk.market.observe(self.time, event.price_wad / WAD)
                self._mark_perpetual(event.price_wad)
                self.pool.arbitrage(self.time, event.price_wad, event.ramp_s)
                self._transmit()
            case RoundEvent():
                self.rounds_given = True
                self.answered(event.answer)
            case QuoteEvent():
                self.booked(Cause.PRICE, VAULT, self.oracle.quote.answered, self.time, event.answer)
            case GasEvent():
                self.base_fee_wei = event.base_fee_wei
            case RatesEvent():
                reserve = self.lending.reserve(event.of_base)
                reserve.give_rates(event.supply_ray, event.borrow_ray)
            case FundingEvent():
                self.perpetual.pay_funding(self, event)
            case SmilesEvent() | VolatilityEvent():
                self.desk.market.hear(event)
            case LiquidityEvent():
                self.pool.liquidity = event.liquidity
            case FlowEvent():
                self._ask(event)

    def calm(self) -> None:
        """The arbitrageur, after trades of ours."""
        self.pool.arbitrage(self.time, self.market_wad)

    def remark(self) -> None:
        """Options, at the time and the price there is."""
        self.desk.remark(self)

    def _mark_perpetual(self, price_wad: int) -> None:
        if self.perpetual.quantity:
            self.booked(Cause.PERPETUAL, PERPETUAL, self.perpetual.remark, price_wad)
            self.perpetual.keep(self)
        else:
            self.perpetual.remark(price_wad)

    def answered(self, answer: int) -> None:
        """A round of the base feed, and what the new price makes of everything held."""
        if answer == self.oracle.base.answer:
            self.oracle.base.answered(self.time, answer)
            return
        self.booked(Cause.PRICE, VAULT, self.oracle.base.answered, self.time, answer)
        self.remark()

    def _transmit(self) -> None:
        """The feed's network, unless rounds are given."""
        oracle = self.oracle
        oracle.keep_quote(self.time)
        if self.rounds_given or self._answer_due is not None:
            return
        answer = (self.market_wad * oracle.quote.answer + WAD // 2) // WAD
        if answer <= 0:
            raise MarketDataError(
                "events", f"price {self.market_wad} WAD", "is under a feed's unit"
            )
        if oracle.base.due(self.time, answer, self.spec.oracle):
            if self.spec.oracle.latency_s:
                self._answer_due = (self.time + self.spec.oracle.latency_s, answer)
            else:
                self.answered(answer)

    @property
    def answer_due_at(self) -> int | None:
        """When the round that is on its way comes."""
        return self._answer_due[0] if self._answer_due else None

    def _ask(self, event: FlowEvent) -> None:
        self.shares.pending_assets += event.assets
        wanted = self.shares.supply * event.shares_bps // BPS
        self.shares.pending_shares += max(0, wanted - self.shares.pending_shares)

    # ---------------------------------------------------------------- books

    def booked(self, cause: Cause, venue: str, change: Callable[..., object], *args: object) -> int:
        """Make a change and write down what it did to NAV."""
        before = self.nav()
        change(*args)
        amount = self.nav() - before
        self.ledger.book(self.time, self.shares.epoch, cause, venue, amount)
        return amount

    def book(self, cause: Cause, venue: str, amount: int) -> None:
        """Write down a change that was just made."""
        self.ledger.book(self.time, self.shares.epoch, cause, venue, amount)

    def pay_gas(self, cost_wei: int) -> None:
        """From the keeper's account, which its operator fills up again when half of it is gone."""
        self.keeper_wei = max(0, self.keeper_wei - cost_wei)
        if 2 * self.keeper_wei < self.spec.chain.keeper_balance_wei:
            self.keeper_wei = self.spec.chain.keeper_balance_wei

    # ---------------------------------------------------------------- others

    def liquidatable(self) -> bool:
        """Whether somebody may liquidate the vault at the lending venue."""
        if not (self.lending.asset.scaled_debt or self.lending.base.scaled_debt):
            return False
        return self.lending.account(*self.oracle.answers).health_wad < WAD

    def liquidate(self) -> None:
        """One liquidation, if the venue still allows it."""
        rules, before = self.spec.liquidator, self.nav()
        done = self.lending.liquidate(
            self.oracle.answers, rules.close_factor_bps, rules.full_below_wad
        )
        if done is None:
            return
        loss = before - self.nav()
        self.book(Cause.LIQUIDATION, LENDING, -loss)
        self.liquidations.append(Liquidated(self.time, LENDING, loss, done))
        self.unhedged_at = self.time
