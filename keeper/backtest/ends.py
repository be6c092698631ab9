"""The ends of the loop in a backtest: a reader, an executor, a journal and what is known beyond the readings.

`keeper.loop.run_tick` runs between them as it does live: not a second decision code, other ends.
"""

import math
from dataclasses import dataclass, field

from keeper.backtest.readings import KEEPER_ADDRESS, readings_of
from keeper.backtest.reverts import Reverted
from keeper.backtest.spec import RAY
from keeper.backtest.vault import Checkpoint, Effect, execute
from keeper.backtest.venue_lending import Reserve
from keeper.backtest.world import World
from keeper.errors import SimulationReverted, TooSoonError
from keeper.model.block import BlockStamp
from keeper.model.decision import Beat, Intent, Lane, Plan, Rebalance, Target, Verdict
from keeper.model.exposure import Exposure
from keeper.model.market import MarketState, Readings, Token
from keeper.model.outcome import AttemptResult, AttemptStatus, TickOutcome, TickStatus
from keeper.model.outlook import LendingRate, Outlook, PoolQuote, Smile
from keeper.model.policy import Policies
from keeper.model.risk import RiskReport
from keeper.model.units import BPS, WAD, Raw, ten_to

LENDING = "lending"
YEAR_S = 365 * 86_400
_Q96 = 1 << 96
DAY_S = 86_400
FRIDAY, EXPIRY_HOUR_S = 4, 8 * 3_600
WEEKLIES = 13
"""Fridays ahead for which a flat volatility is quoted."""


@dataclass(slots=True)
class Reader:
    """Pinned reading of the simulated chain: it only ever stands at one block."""

    world: World

    def head(self) -> BlockStamp:
        """Never asked: the engine names the block."""
        raise NotImplementedError

    def read(self, block: BlockStamp) -> Readings:
        """The vault now."""
        return readings_of(self.world, block)


@dataclass(slots=True)
class Around:
    """Forecasts and offers, from what has happened so far."""

    world: World
    policies: Policies
    peak: float = 0.0
    _nav_variance: float | None = None
    _last: tuple[int, float] | None = None
    _smiles: tuple[tuple[int, int, int], tuple[Smile, ...]] | None = None
    _rates: tuple[tuple[int, ...], tuple[LendingRate, ...]] | None = None

    def look(self, readings: Readings) -> tuple[Outlook, tuple[Exposure, ...]]:
        """The outlook at the block of the readings, and what is held beyond them."""
        world, market = self.world, self.world.desk.market
        volatility = market.realised
        if volatility is None:
            volatility = self.policies.risk.volatility
        drawdown, returns = self._of_shares()
        outlook = Outlook(
            volatility=volatility,
            smiles=self._quoted(),
            lending=self._offered(),
            funding=world.perpetual.offer(),
            pools=(self._pool(readings),),
            base_fee_wei=world.base_fee_wei,
            drawdown=drawdown,
            returns_volatility=returns,
        )
        base, asset = ten_to(world.spec.base.decimals), ten_to(world.spec.asset.decimals)
        held = world.perpetual.exposures(base, asset)
        if world.desk.bought:
            held += world.desk.exposures(world.oracle.price_wad, world.time)
        return outlook, held

    def _of_shares(self) -> tuple[float, float | None]:
        """Drawdown of the share's value, and its volatility over about a month, annualised."""
        world = self.world
        value = world.shares.per_share(world.ledger.nav)
        self.peak = max(self.peak, value)
        if self._last is None or (world.time > self._last[0] and self._last[1] > 0 < value):
            if self._last is not None:
                at, before = self._last
                seconds = world.time - at
                squared = math.log(value / before) ** 2 * YEAR_S / seconds
                weight = min(1.0, seconds / (30 * DAY_S))
                old = squared if self._nav_variance is None else self._nav_variance
                self._nav_variance = old + weight * (squared - old)
            self._last = (world.time, value)
        drawdown = 1.0 - value / self.peak if self.peak > 0 else 0.0
        variance = self._nav_variance
        return drawdown, None if variance is None else math.sqrt(variance)

    def _offered(self) -> tuple[LendingRate, ...]:
        """Of both tokens; the same objects while nothing of them changes."""
        spec, a, b = self.world.spec, self.world.lending.asset, self.world.lending.base
        made_of = (
            a.supply_ray,
            a.borrow_ray,
            a.available,
            b.supply_ray,
            b.borrow_ray,
            b.available,
        )
        if self._rates is None or self._rates[0] != made_of:
            self._rates = (made_of, (self._rate(spec.asset, a), self._rate(spec.base, b)))
        return self._rates[1]

    def _rate(self, token: Token, reserve: Reserve) -> LendingRate:
        spec = reserve.spec
        return LendingRate(
            LENDING,
            token.address,
            reserve.supply_ray / RAY,
            reserve.borrow_ray / RAY,
            spec.ltv_bps / BPS,
            spec.threshold_bps / BPS,
            Raw(reserve.available),
            Raw(2**127),
        )

    def _pool(self, readings: Readings) -> PoolQuote:
        pool, spec = self.world.pool, self.world.spec
        root, first = pool.sqrt_price_x96, spec.pool.base_is_token0
        reserve = pool.liquidity * (_Q96 / root if first else root / _Q96)
        price = self.world.market_wad / WAD
        whole = reserve / ten_to(spec.base.decimals)
        return PoolQuote(readings.pool.pool, pool.spec.fee_pips, price, whole, pool.tick)

    def _quoted(self) -> tuple[Smile, ...]:
        """The market's smiles, or its one level for the next Fridays' expiries."""
        market, now = self.world.desk.market, self.world.time
        if market.smiles:
            return tuple(smile for smile in market.smiles if smile.expiry > now)
        level = market.at_money()
        if level is None:
            return ()
        key = (now // 3_600, round(level * 10**6), self.world.oracle.base.answer)
        if self._smiles is None or self._smiles[0] != key:
            spot = self.world.oracle.price_wad / WAD
            quoted = tuple(Smile(at, spot, ((0.0, level),)) for at in fridays(now, WEEKLIES))
            self._smiles = (key, quoted)
        return self._smiles[1]


def fridays(now: int, count: int) -> tuple[int, ...]:
    """The next Fridays at 08:00 UTC, when listed options expire (1970-01-01 was a Thursday)."""
    week = 7 * DAY_S
    first = (now - DAY_S - EXPIRY_HOUR_S) // week * week + DAY_S + EXPIRY_HOUR_S + week
    return tuple(first + i * week for i in range(count))


@dataclass(frozen=True, slots=True)
class Pending:
    """A transaction that is signed and not yet in."""

    intent: Intent
    sent_block: int
    lands_at: int
    gas: int


@dataclass(frozen=True, slots=True)
class Landed:
    """What became of one transaction."""

    intent_id: str
    kind: str
    lane: Lane
    sent_at: int
    time: int
    reverted: str
    """Empty for one that took effect."""
    gas: int
    gas_cost_wei: int
    gas_cost: int
    """Asset units at the market's price then, rounded up."""
    reason: str
    effect: Effect | None


@dataclass(slots=True)
class SimulatedExecutor:
    """Simulates, waits for its block, and lands: at most one effect per intent."""

    world: World
    pending: list[Pending] = field(default_factory=list)
    landed: list[Landed] = field(default_factory=list)
    _unseen: list[AttemptResult] = field(default_factory=list)
    _waits_until: int = 0

    def rehearse(self, intent: Intent) -> str:
        """Simulate and say so."""
        self._simulate(intent)
        return "simulated"

    def submit(self, intent: Intent) -> str:
        """Simulate on the state of now, then wait for the block it lands in."""
        self._simulate(intent)
        chain, world = self.world.spec.chain, self.world
        lands = world.time + chain.latency_blocks * chain.block_s
        gas = self._gas(intent)
        self.pending.append(Pending(intent, world.block, lands, gas))
        return intent.id

    def land(self, pending: Pending) -> Landed:
        """Its block has come: it takes effect on the state there, or reverts and still pays."""
        world, chain, intent = self.world, self.world.spec.chain, pending.intent
        self.pending.remove(pending)
        gas, effect, why = pending.gas, None, ""
        try:
            check_deadline(intent, world.time)
            effect = execute(world, intent.payload)
        except Reverted as reverted:
            gas, why = gas * chain.revert_gas_bps // BPS, str(reverted)
        cost = gas * (world.base_fee_wei + chain.tip_wei)
        world.pay_gas(cost)
        paid = -(-cost * world.market_wad * 10**world.spec.asset.decimals // (WAD * 10**18))
        done = Landed(
            intent.id,
            _kind(intent),
            intent.lane,
            pending.lands_at - chain.latency_blocks * chain.block_s,
            world.time,
            why,
            gas,
            cost,
            paid,
            intent.reason,
            effect,
        )
        self.landed.append(done)
        status = AttemptStatus.REVERTED if why else AttemptStatus.MINED
        fee = world.base_fee_wei + chain.tip_wei
        self._unseen.append(AttemptResult(intent.id, intent.id, status, world.block, gas, fee))
        return done

    def follow(self, block: BlockStamp) -> tuple[AttemptResult, ...]:
        """What landed since the last call."""
        del block
        if not self._unseen:
            return ()
        seen, self._unseen = tuple(self._unseen), []
        return seen

    def routine_waits_until(self) -> int:
        """As the mandate last said."""
        return self._waits_until

    def inclusion_blocks(self) -> float | None:
        """As long as a transaction takes here."""
        return float(self.world.spec.chain.latency_blocks)

    def in_flight(self, lane: Lane | None = None) -> int:
        """Signed and not in."""
        return sum(lane in (None, p.intent.lane) for p in self.pending) if self.pending else 0

    def unmined(self, lane: Lane) -> int:
        """The same: nothing is mined before it lands."""
        return self.in_flight(lane)

    def account_of(self, lane: Lane) -> str:
        """One account for both."""
        del lane
        return KEEPER_ADDRESS

    def balance_wei(self, lane: Lane) -> int:
        """What it holds."""
        del lane
        return self.world.keeper_wei

    def _simulate(self, intent: Intent) -> None:
        if isinstance(intent.payload, Beat):
            return
        checkpoint = Checkpoint(self.world)
        try:
            execute(self.world, intent.payload)
        except Reverted as reverted:
            if reverted.name == "CooldownActive":
                self._waits_until = int(str(reverted.evidence[0]))
                raise TooSoonError(str(reverted), self._waits_until) from None
            raise SimulationReverted(str(reverted)) from None
        checkpoint.restore()

    def _gas(self, intent: Intent) -> int:
        chain = self.world.spec.chain
        if isinstance(intent.payload, Rebalance):
            return intent.gas_limit_estimate
        return chain.gas_beat if isinstance(intent.payload, Beat) else chain.gas_settle


def check_deadline(intent: Intent, now: int) -> None:
    """The vault refuses what is late."""
    if now > intent.deadline:
        raise Reverted("IntentExpired", intent.id, intent.deadline, now)


def _kind(intent: Intent) -> str:
    return type(intent.payload).__name__.lower()


@dataclass(frozen=True, slots=True)
class Decision:
    """What one tick decided, for the comparison of runs."""

    time: int
    target: Target
    plan: Plan
    verdict: Verdict
    intent_id: str | None


@dataclass(slots=True)
class MemoryJournal:
    """What the loop asks its journal, kept in memory."""

    executor: SimulatedExecutor
    decisions: list[Decision] = field(default_factory=list)
    keep_holds: bool = False
    """Decisions to hold are kept too; they are most of a run."""
    ticks: int = 0
    intents: int = 0
    _failed_at: int | None = None

    def record_decision(  # noqa: PLR0917 - the loop's own port
        self,
        market: MarketState,
        risk: RiskReport,
        target: Target,
        plan: Plan,
        verdict: Verdict,
        intent: Intent | None,
        *,
        account: str = "",
        fence: int = 0,
    ) -> None:
        """Keep it."""
        del risk, account, fence
        self.ticks += 1
        self.intents += intent is not None
        if self.keep_holds or intent is not None or not plan.empty:
            time = market.readings.block.timestamp
            made = intent.id if intent else None
            self.decisions.append(Decision(time, target, plan, verdict, made))

    def made(self, market: MarketState, target: Target, plan: Plan, intent: Intent) -> None:
        """A plan beyond the loop's own."""
        self.intents += 1
        time = market.readings.block.timestamp
        self.decisions.append(Decision(time, target, plan, Verdict(()), intent.id))

    def record_outcome(self, outcome: TickOutcome) -> None:
        """Only failures matter later."""
        if outcome.status is TickStatus.FAILED:
            self._failed_at = outcome.block_number

    def intent_count(self) -> int:
        """So far."""
        return self.intents

    def last_failure(self) -> int | None:
        """Block of the newest failed tick."""
        return self._failed_at

    def mined_reverts(self, chain_id: int) -> tuple[int, ...]:
        """Blocks of reverts since the last success, newest first."""
        del chain_id
        world, found = self.executor.world, []
        for done in reversed(self.executor.landed):
            if not done.reverted:
                break
            found.append((done.time - world.started_at) // world.spec.chain.block_s + 1)
        return tuple(found)

    def reverted_gas_wei(self, chain_id: int, since_block: int) -> int:
        """What reverts cost since a block."""
        del chain_id
        world = self.executor.world
        since = world.started_at + (since_block - 1) * world.spec.chain.block_s
        total = 0
        for done in reversed(self.executor.landed):
            if done.time < since:
                break
            total += done.gas_cost_wei if done.reverted else 0
        return total
