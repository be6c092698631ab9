"""A backtest that is watched: the mandate's limits are checked here a second time, on what each transaction left.

Nothing of `keeper.backtest.mandate` or of the guard is called: buckets are reckoned over every window of the run, as
the invariants say them (V-04 to V-08), and not as the token bucket keeps them.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from unittest.mock import patch

from keeper.backtest import BacktestResult, BacktestSpec, ends, engine, run_backtest
from keeper.backtest.ends import Landed
from keeper.backtest.events import Event
from keeper.backtest.mandate import Bucket, Mandate
from keeper.backtest.readings import measure_of
from keeper.backtest.record import Recorder
from keeper.backtest.vault import Effect, execute
from keeper.backtest.venue_perpetual import PerpetualVenue
from keeper.backtest.world import World
from keeper.loop import TickRecord
from keeper.model.decision import Order, Payload, Rebalance
from keeper.model.mandate import Terms
from keeper.model.market import Measure
from keeper.model.outcome import TickStatus
from keeper.model.policy import Policies
from keeper.model.ports import Strategy
from keeper.model.units import BPS, WAD

DAY_S = 86_400
DUST = 10**4
"""Units: what integers may lose on the way."""
REFUSED_IN_A_ROW = 6
"""Ticks on new prices that a plan may be refused for one reason; then it is a plan that will not fit."""
WAITS = frozenset({"cooldown", "base-fee", "breaker", "gas budget", "unhedged"})
"""Rules that end by themselves: time passes, gas gets cheaper, the curator looks at the vault."""
MOVED = ("PriceMoved",)
GAS_STOPS_S = 2 * 3_600


@dataclass(frozen=True, slots=True)
class Breach:
    """One limit that did not hold."""

    time: int
    limit: str
    found: str

    def __str__(self) -> str:
        return f"t={self.time} {self.limit}: {self.found}"


@dataclass(frozen=True, slots=True)
class Seen:
    """One execution: the vault before and after, and what its buckets hold."""

    payload: Payload
    before: Measure
    after: Measure
    effect: Effect
    routine_paid: bool
    protective_paid: bool


@dataclass(slots=True)
class Watch:
    """What was found."""

    spec: BacktestSpec
    breaches: list[Breach] = field(default_factory=list)
    newest: Seen | None = None
    spent: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    routine_at: int | None = None
    refused: dict[str, int] = field(default_factory=dict)
    endangered_since: int | None = None
    """First tick at which health was under the emergency level with a price to act on."""
    last_price: int = 0
    gas_stopped_at: int = -(10**9)
    """Newest tick at which orders waited for cheaper gas: they are routine work, a margin's too."""

    def say(self, time: int, limit: str, found: str) -> None:
        """One more."""
        self.breaches.append(Breach(time, limit, found))

    # ---------------------------------------------------------------- transactions

    def landed(self, world: World, done: Landed) -> None:
        """A transaction is in: judge what it left."""
        seen = self.newest
        if done.effect is None or seen is None or not isinstance(seen.payload, Rebalance):
            return
        time, before, after = world.time, seen.before, seen.after
        self._health(time, before, after)
        if not before.priced:
            return
        self._loss(time, seen)
        self._delta(time, before, after, world.scale)
        if _riskier(before, after):
            self._routine(time, before, after)
        self._turnover(time, seen)
        most = self.spec.terms.limits.max_swap_loss_bps
        for swap in seen.effect.swaps:
            cost = swap.fee + swap.impact + swap.basis
            if cost * BPS > swap.value * most + DUST * BPS:
                self.say(time, "swap loss", f"{cost} of {swap.value}")

    def _health(self, time: int, before: Measure, after: Measure) -> None:
        """V-05."""
        least = self.spec.terms.limits.min_health_wad
        if after.health_wad < least and after.health_wad <= before.health_wad:
            self.say(
                time, "health", f"{before.health_wad / WAD:.4f} -> {after.health_wad / WAD:.4f}"
            )

    def _loss(self, time: int, seen: Seen) -> None:
        """One rebalance's, and V-04 over every window that ends now."""
        before, after, limits = seen.before, seen.after, self.spec.terms.limits
        loss = (before.gross - before.debt) - (after.gross - after.debt)
        if loss <= DUST or before.nav <= 0:
            return
        part = loss / before.nav
        if part > limits.max_loss_bps / BPS + 1e-9:
            self.say(time, "loss of one rebalance", f"{part:.6f} of NAV")
        caps = self.spec.terms.caps
        if seen.routine_paid:
            self.spend(time, "routine loss", part, limits.max_loss_per_day_bps / BPS)
        elif seen.protective_paid:
            self.spend(time, "protective loss", part, caps.protective_loss_per_day_bps / BPS)
        elif part > 1e-9:
            self.say(time, "loss that no bucket paid", f"{part:.9f} of NAV")

    def spend(self, time: int, bucket: str, part: float, capacity: float) -> None:
        """No window holds more than the capacity and what is refilled in it."""
        entries = self.spent.setdefault(bucket, [])
        entries.append((time, part))
        total = 0.0
        for at, spent in reversed(entries):
            total += spent
            if total > capacity * (1 + (time - at) / DAY_S) + 1e-9:
                self.say(time, bucket, f"{total:.6f} of NAV since {at}")
                return

    def _delta(self, time: int, before: Measure, after: Measure, scale: int) -> None:
        """V-06."""
        caps = self.spec.terms.caps

        def gap(measure: Measure) -> float:
            aim = measure.nav * caps.delta_target_bps / BPS
            return abs(measure.delta_base * measure.price_wad / scale - aim)

        moved = abs(after.delta_base - before.delta_base) > DUST
        band = after.nav * caps.delta_band_bps / BPS
        if moved and gap(after) > band + DUST and gap(after) > gap(before) + DUST:
            self.say(time, "delta band", f"{gap(before):.0f} -> {gap(after):.0f}, band {band:.0f}")

    def _routine(self, time: int, before: Measure, after: Measure) -> None:
        """What raised any risk waits its turn and stays under the caps."""
        limits, caps, options = (
            self.spec.terms.limits,
            self.spec.terms.caps,
            self.spec.terms.options,
        )
        if self.routine_at is not None and time < self.routine_at + caps.cooldown_s:
            self.say(time, "cooldown", f"{time - self.routine_at} s after the one before")
        self.routine_at = time
        grew = after.debt_asset > before.debt_asset or after.debt_base > before.debt_base
        if grew and after.debt * BPS > after.gross * limits.max_borrow_bps:
            self.say(time, "borrowing", f"{after.debt} of {after.gross}")
        for name, was, value, whole, most in (
            ("venue share", before.lent, after.lent, after.gross, caps.max_venue_bps),
            (
                "options share",
                before.option_collateral,
                after.option_collateral,
                after.gross,
                caps.max_option_bps,
            ),
            ("notional", before.notional, after.notional, after.nav, options.max_notional_bps),
            ("vega", before.vega, after.vega, after.nav, options.max_vega_bps),
        ):
            if value > was + DUST and value * BPS > whole * most + DUST * BPS:
                self.say(time, name, f"{was} -> {value} of {whole}")

    def _turnover(self, time: int, seen: Seen) -> None:
        sold = sum(swap.value for swap in seen.effect.swaps)
        if sold and seen.before.nav > 0 and _riskier(seen.before, seen.after):
            capacity = self.spec.terms.caps.turnover_per_day_bps / BPS
            self.spend(time, "turnover", sold / seen.before.nav, capacity)

    # ---------------------------------------------------------------- ticks

    def ticked(self, world: World, record: TickRecord) -> None:
        """No tick fails, and no plan runs against the guard again and again."""
        outcome = record.outcome
        if outcome.status is TickStatus.FAILED:
            self.say(world.time, "a tick failed", outcome.reason)
        rules = {r.rule for r in record.verdict.refusals} if record.verdict else set()
        if "base-fee" in rules and record.plan is not None and record.plan.orders:
            self.gas_stopped_at = world.time
        fresh = world.market_wad != self.last_price
        self.last_price = world.market_wad
        for rule in (rules | set(self.refused)) - WAITS:
            if rule not in rules:
                self.refused[rule] = 0
            elif fresh:
                self.refused[rule] = self.refused.get(rule, 0) + 1
                if self.refused[rule] == REFUSED_IN_A_ROW:
                    why = (
                        "; ".join(r.message for r in record.verdict.refusals)
                        if record.verdict
                        else ""
                    )
                    self.say(world.time, f"refused again and again by {rule}", why)
        self._danger(world, record)

    def _danger(self, world: World, record: TickRecord) -> None:
        """From when on a transaction would have been in time."""
        market = record.market
        least = self.spec.terms.emergency.emergency_health_wad
        known = market is not None and market.readings.price.fault == 0
        if record.risk is None or not known or record.risk.health_wad >= least:
            self.endangered_since = None
        elif self.endangered_since is None:
            self.endangered_since = world.time

    def stepped(self, world: World) -> None:
        """V-01, and nothing is owed that was not borrowed."""
        if min(world.idle_asset, world.idle_base, world.shares.reserved) < 0:
            self.say(
                world.time,
                "idle",
                f"{world.idle_asset}, {world.idle_base}, {world.shares.reserved}",
            )
        perpetual = world.perpetual
        if perpetual.quantity and perpetual.equity < 0:
            self.say(world.time, "perpetual equity", str(perpetual.equity))

    def ordered(self, world: World, order: Order, refused: str) -> None:
        """A venue refuses only what the market ran away from."""
        if refused and not refused.startswith(MOVED):
            self.say(world.time, f"order refused by {order.venue}", refused)
        perpetual = world.perpetual
        if (
            perpetual.notional > perpetual.spec.most_notional * 1.02
            and order.venue == perpetual.spec.venue
        ):
            self.say(world.time, "venue's size", f"{perpetual.notional}")

    def liquidated(self, world: World) -> None:
        """Avoidable if a transaction sent when danger began would have been in before it."""
        chain = world.spec.chain
        since = self.endangered_since
        if since is not None and world.time - since > (chain.latency_blocks + 1) * chain.block_s:
            self.say(world.time, "avoidable liquidation", f"in danger since {since}")


def _riskier(before: Measure, after: Measure) -> bool:
    """V-08's other side: some measured risk is greater than before."""
    return (
        after.health_wad < before.health_wad
        or after.debt_asset > before.debt_asset
        or after.debt_base > before.debt_base
        or after.notional > before.notional
        or after.vega > before.vega
        or after.option_collateral > before.option_collateral
        or abs(after.delta_base) > abs(before.delta_base) + DUST
    )


@contextmanager
def watching(watch: Watch) -> Iterator[None]:  # noqa: C901 - small hooks side by side
    """Between the engine and its world, for one run."""
    charge_fill, liquidate = Mandate.charge_fill, World.liquidate
    close_out = PerpetualVenue.close_out

    def executed(world: World, payload: Payload) -> Effect:
        before = measure_of(world)
        spent = [_state(b) for b in (world.mandate.routine, world.mandate.protective)]
        effect = execute(world, payload)
        now = [_state(b) for b in (world.mandate.routine, world.mandate.protective)]
        paid = [a != b for a, b in zip(spent, now, strict=True)]
        watch.newest = Seen(payload, before, measure_of(world, before), effect, paid[0], paid[1])
        return effect

    def filled(mandate: Mandate, now: int, loss: int, nav: int) -> None:
        charge_fill(mandate, now, loss, nav)
        capacity = mandate.terms.limits.max_loss_per_day_bps / BPS
        watch.spend(now, "routine loss", loss / (nav + loss), capacity)

    def liquidated(world: World) -> None:
        count = len(world.liquidations)
        liquidate(world)
        if len(world.liquidations) > count:
            watch.liquidated(world)

    def closed_out(venue: PerpetualVenue, world: World) -> int:
        loss = close_out(venue, world)
        if world.time > watch.gas_stopped_at + GAS_STOPS_S:
            watch.say(world.time, "perpetual closed out", f"loss {loss}")
        return loss

    class Watched(Recorder):
        """Writes down and looks."""

        def ticked(self, record: TickRecord) -> None:
            watch.ticked(self.world, record)
            Recorder.ticked(self, record)

        def landed(self, done: Landed) -> None:
            watch.landed(self.world, done)
            Recorder.landed(self, done)

        def ordered(self, order: Order, refused: str) -> None:
            watch.ordered(self.world, order, refused)
            Recorder.ordered(self, order, refused)

        def step(self) -> None:
            watch.stepped(self.world)
            Recorder.step(self)

    with (
        patch.object(ends, "execute", executed),
        patch.object(Mandate, "charge_fill", filled),
        patch.object(World, "liquidate", liquidated),
        patch.object(PerpetualVenue, "close_out", closed_out),
        patch.object(engine, "Recorder", Watched),
    ):
        yield


def _state(bucket: Bucket) -> tuple[int, int]:
    return bucket.used_wad, bucket.updated_at


def watched(
    spec: BacktestSpec,
    events: Iterable[Event],
    strategy: Strategy,
    policies: Policies,
    *,
    name: str = "",
    terms: Terms | None = None,
) -> tuple[BacktestResult, Watch]:
    """The result, and what was found on the way. `terms`: what is watched for, if not what the vault is held to."""
    watch = Watch(spec if terms is None else replace(spec, terms=terms))
    with watching(watch):
        result = run_backtest(spec, events, strategy, policies, name=name)
    if not result.attribution.exact:
        watch.say(int(result.steps["time"][-1]), "books", "opening + entries is not closing")
    return result, watch
