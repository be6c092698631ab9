"""The engine: events in, the live loop in the middle, a result out. A decision at t knows what happened up to t.

At each time: interest, the events of that time, whoever liquidates, then transactions whose block has come, and last
the keeper's tick on the state that all of this left. After a block that changed something the keeper ticks on the next
ones too, as it does live, until it has nothing more to do.
"""

import gc
import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import IntEnum

from keeper.backtest.ends import Around, MemoryJournal, Pending, Reader, SimulatedExecutor
from keeper.backtest.events import Event, PriceEvent, RoundEvent, batches
from keeper.backtest.option_market import Terms
from keeper.backtest.readings import block_of
from keeper.backtest.record import Recorder
from keeper.backtest.result import BacktestResult, result_of
from keeper.backtest.reverts import Reverted
from keeper.backtest.spec import BacktestSpec
from keeper.backtest.split import SplitLedger, claimants
from keeper.backtest.watch import Watch
from keeper.backtest.world import Liquidated, World
from keeper.errors import MarketDataError
from keeper.loop import Ports, TickRecord, TickRules, run_tick
from keeper.model.decision import Order
from keeper.model.outcome import TickStatus
from keeper.model.policy import Policies
from keeper.model.ports import Strategy
from keeper.planning import unseen_series


class What(IntEnum):
    """What is due at a time, in the order in which it happens."""

    ROUND = 0
    EXPIRY = 1
    CALM = 2
    LIQUIDATION = 3
    MARGIN_CALL = 4
    EFFECT = 5
    ORDER = 6
    AUCTION = 7
    TICK = 8


Due = tuple[int, What, int, object]
"""(time, what, a counter that keeps the order of making, its subject)."""


def run_backtest(
    spec: BacktestSpec,
    events: Iterable[Event],
    strategy: Strategy,
    policies: Policies,
    *,
    rules: TickRules | None = None,
    name: str = "",
    progress: Callable[[int], None] | None = None,
    watch: Watch | None = None,
) -> BacktestResult:
    """Play the events; the same input gives the same result, bit for bit.

    progress: called with the time of each batch of events. watch: who looks on. MarketDataError for events out of
    order, events that cannot be, or none at all; whatever the strategy raises is raised.
    """
    collects = gc.isenabled()
    gc.disable()  # values here hold no cycles, and there are many of them to look through
    try:
        engine = _played(
            spec,
            events,
            strategy,
            policies,
            rules=rules or TickRules(),
            progress=progress,
            watch=watch or Watch(),
        )
    finally:
        if collects:
            gc.enable()
    return result_of(
        name,
        engine.world,
        engine.recorder,
        engine.executor,
        engine.journal,
        claims=claimants(strategy),
    )


def _played(
    spec: BacktestSpec,
    events: Iterable[Event],
    strategy: Strategy,
    policies: Policies,
    *,
    rules: TickRules,
    progress: Callable[[int], None] | None,
    watch: Watch,
) -> "_Engine":
    engine: _Engine | None = None
    waiting: list[Event] = []
    for time, batch in batches(events):
        if engine is None:
            waiting += batch
            world = _opened(spec, time, waiting)
            if world is None:
                continue
            if claimants(strategy):
                world.ledger = SplitLedger(world)
            if watch.opened is not None:
                watch.opened(world)
            engine = _Engine(world, strategy, policies, rules, Recorder(world), watch)
            engine.play(time, waiting)
        else:
            engine.play(time, batch)
        if progress is not None:
            progress(time)
    if engine is None:
        raise MarketDataError("events", "there is no price among them", "give at least one")
    return engine


def _opened(spec: BacktestSpec, time: int, waiting: list[Event]) -> World | None:
    """The world at the first price; rounds before it say where the feed stands."""
    price = next((e.price_wad for e in reversed(waiting) if isinstance(e, PriceEvent)), None)
    if price is None:
        return None
    answer = next((e.answer for e in reversed(waiting) if isinstance(e, RoundEvent)), None)
    return World.opened(spec, time, price, answer)


@dataclass(slots=True)
class _Engine:
    world: World
    strategy: Strategy
    policies: Policies
    rules: TickRules
    recorder: Recorder
    watch: Watch = field(default_factory=Watch)
    executor: SimulatedExecutor = field(init=False)
    journal: MemoryJournal = field(init=False)
    ports: Ports = field(init=False)
    _due: list[Due] = field(default_factory=list)
    _made: int = 0
    _orders: int = 0
    _follow_ups: int = 0
    _rounds: int = 0
    _ticked_at: int = -1
    _called: bool = False
    _expiries: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        venues = (self.world.perpetual.spec.venue, self.world.desk.spec.venue)
        guard = self.policies.guard
        connected = tuple(dict.fromkeys((*guard.connected_venues, *venues)))
        planning = self.policies.planning
        dealer = planning.option_venue or self.world.desk.spec.venue
        self.policies = replace(
            self.policies,
            guard=replace(guard, connected_venues=connected),
            planning=replace(planning, option_venue=dealer),
        )
        self.executor = SimulatedExecutor(self.world)
        self.journal = MemoryJournal(self.executor)
        around = Around(self.world, self.policies)
        self.ports = Ports(Reader(self.world), self.executor, self.journal, surroundings=around)

    # ---------------------------------------------------------------- time

    def play(self, time: int, batch: list[Event]) -> None:
        """Everything up to a time, and its events."""
        if self._due:
            self._run(time, inclusive=False)
        world, decides = self.world, False
        world.advance(time)
        self._follow_ups = self._rounds = 0
        for event in batch:
            world.apply(event)
            decides = decides or event.decides
        world.remark()
        self._after_change()
        if self._due:
            self._run(time, inclusive=True)
        if decides:
            self._tick()
        world.ledger.check(time, world.nav())
        self.recorder.step()
        if self.watch.stepped is not None:
            self.watch.stepped(world)

    def _run(self, until: int, *, inclusive: bool) -> None:
        due, world = self._due, self.world
        while due and (due[0][0] < until or (inclusive and due[0][0] == until)):
            time, what, _, subject = heapq.heappop(due)
            if time > world.time:
                world.advance(time)
                world.remark()
            self._happen(what, subject)
            self._after_change()

    def _at(self, time: int, what: What, subject: object = None) -> None:
        self._made += 1
        heapq.heappush(self._due, (time, what, self._made, subject))

    # ---------------------------------------------------------------- what happens

    def _happen(self, what: What, subject: object) -> None:
        world = self.world
        if what is What.TICK:
            self._tick()
        elif what is What.EFFECT and isinstance(subject, Pending):
            self._land(subject)
        elif what is What.ORDER and isinstance(subject, Order):
            self._orders -= 1
            self.recorder.ordered(subject, self._order(subject))
            self._again()
        elif what is What.CALM:
            world.calm()
        elif what is What.LIQUIDATION:
            self._called = False
            world.liquidate()
            self._again()
        elif what is What.MARGIN_CALL:
            self._close_out()
        elif what is What.AUCTION and isinstance(subject, int):
            again = world.desk.look(world, subject)
            if again is not None:
                self._at(again, What.AUCTION, subject)
        elif what is What.EXPIRY and isinstance(subject, str):
            self._expiries.discard(subject)
            world.desk.expire(world, subject)
            self._again()

    def _land(self, pending: Pending) -> None:
        done = self.executor.land(pending)
        self.recorder.landed(done)
        if done.kind == "rebalance":
            self._calm()
        self._again()
        for number in done.effect.auctions if done.effect else ():
            self._at(self.world.time, What.AUCTION, number)

    def _calm(self) -> None:
        """The arbitrageur answers a trade of the vault's, at once or some blocks later."""
        chain = self.world.spec.chain
        if chain.arbitrage_blocks:
            self._at(self.world.time + chain.arbitrage_blocks * chain.block_s, What.CALM)
        else:
            self.world.calm()

    def _order(self, order: Order) -> str:
        """At a venue beyond the contract; returns why it was refused, if it was."""
        world, limit = self.world, order.limit_price_wad
        terms = Terms.of_key(order.instrument)
        try:
            if order.venue == world.perpetual.spec.venue:
                world.perpetual.trade(world, order.quantity, limit)
            elif order.venue == world.desk.spec.venue and terms is not None:
                world.desk.trade_bought(world, terms, order.quantity, limit)
            else:
                return str(Reverted("NoSuchInstrument", order.venue, order.instrument))
        except Reverted as reverted:
            return str(reverted)
        return ""

    def _close_out(self) -> None:
        world = self.world
        if world.perpetual.liquidatable():
            loss = world.perpetual.close_out(world)
            world.liquidations.append(Liquidated(world.time, world.perpetual.spec.venue, loss))
            self._again()

    def _after_change(self) -> None:
        """Whoever reacts to the new state is told when to."""
        world = self.world
        due = world.answer_due_at
        if due is not None and due > world.time:
            self._at(due, What.ROUND)
        rules = world.spec.liquidator
        if not self._called and self._rounds < rules.most_rounds and world.liquidatable():
            self._called = True
            self._rounds += 1
            wait = rules.latency_blocks * world.spec.chain.block_s
            self._at(world.time + wait, What.LIQUIDATION)
        if world.perpetual.liquidatable():
            self._at(world.time, What.MARGIN_CALL)
        desk = world.desk
        for key, expiry in () if desk.idle else desk.expiries():
            if key not in self._expiries:
                self._expiries.add(key)
                self._at(max(expiry, world.time), What.EXPIRY, key)

    # ---------------------------------------------------------------- the keeper

    def _again(self) -> None:
        """Tick on the next block too: something changed."""
        if self._follow_ups < self.world.spec.follow_ups:
            self._follow_ups += 1
            self._at(self.world.time + self.world.spec.chain.block_s, What.TICK)

    def _clock(self) -> float:
        return float(self.world.time)

    def _tick(self) -> None:
        world = self.world
        if world.time == self._ticked_at or self._orders:
            return
        self._ticked_at = world.time
        sent = len(self.executor.pending)
        record = run_tick(
            self.ports,
            self.policies,
            self.strategy,
            self._clock,
            rules=self.rules,
            block=block_of(world),
        )
        self.recorder.ticked(record)
        if self.watch.ticked is not None:
            self.watch.ticked(record)
        if len(self.executor.pending) > sent:
            for pending in self.executor.pending[sent:]:
                self._at(pending.lands_at, What.EFFECT, pending)
        self._look_up(record)
        plan, verdict = record.plan, record.verdict
        if plan is not None and verdict is not None and verdict.passed and plan.orders:
            self._send(plan.orders)
        elif record.outcome.status is TickStatus.FAILED:
            self._again()

    def _look_up(self, record: TickRecord) -> None:
        """Series that are wanted and not known yet: the next block knows them, as the live keeper looks them up."""
        market, target, asked = record.market, record.target, self.world.desk.asked
        if market is None or target is None or not target.options:
            return
        new = [i for i in unseen_series(market.readings, target) if i not in asked]
        if new:
            asked.update(dict.fromkeys(new))
            self._again()

    def _send(self, orders: tuple[Order, ...]) -> None:
        chain = self.world.spec.chain
        lands = self.world.time + chain.latency_blocks * chain.block_s
        for order in orders:
            self._orders += 1
            self._at(lands, What.ORDER, order)
