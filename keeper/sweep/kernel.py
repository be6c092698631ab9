"""Hedging rules in compiled code: the same decisions as the full pipeline, thousands of times quicker, in fewer worlds.

`why_not` names what keeps a run out of the kernel's class; what is found only while it runs (a liquidation, a revert)
leaves it in the middle, with a reason, and the full pipeline plays that run instead.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from keeper.backtest.events import Event, PriceEvent
from keeper.backtest.option_market import OptionMarket
from keeper.backtest.oracle import ANSWER
from keeper.backtest.spec import RAY, BacktestSpec, OracleSpec
from keeper.backtest.statistics import statistics_of_days
from keeper.backtest.venue_lending import Reserve
from keeper.backtest.venue_pool import Pool, price_of_tick_wad
from keeper.backtest.world import World
from keeper.loop import TickRules
from keeper.model.decision import MoveKind
from keeper.model.policy import Policies
from keeper.model.ports import Strategy
from keeper.model.units import BPS, WAD, wad_down
from keeper.planning.plan import GAS_BASE, GAS_PER_MOVE
from keeper.planning.state import FLOOR_MARGIN_BPS
from keeper.quant.uniswap_v3 import PIPS, tick_at_sqrt_price
from keeper.report.performance import day_ends
from keeper.sweep import kernel_plan as kp
from keeper.sweep import kernel_run as kr
from keeper.sweep import kernel_vault as kv
from keeper.sweep.kernel_curve import curve as curve_of
from keeper.sweep.kernel_wide import whole, wide

Rows = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
BEYOND = 10**10
"""From the eight decimals of a feed to WAD."""
RULES = {"strategies.delta_band": kr.BAND_RULE, "strategies.delta_hedge": kr.HEDGE_RULE}
_MARGIN_TICKS = 500
_CLEAR_TICKS, _EXACT_TICKS = 1e-6, 400_000
"""The logarithm is right to some 1e-10 of a tick, and the pool's ratios, up to such a tick, to 1e-13 of one."""
_YEAR_S = 365 * 86_400


@dataclass(frozen=True)
class Path:
    """A market's path, which no rule changes: computed once, for all rules."""

    columns: Ints
    """(n, 9), see `kernel_run`."""
    roots: Rows
    """(n, 5): the pool's least and greatest root after the arbitrageur, as pairs, and the volatility forecast."""
    table: Rows
    """Prices of ticks from `first_tick` on, as pairs."""
    first_tick: int
    root: int
    liquidity: int
    digest: bytes
    ends: Ints
    """(m,) the bars that end days, and the first."""
    daily: Rows
    """(m,) the price of base there, whole assets."""


@dataclass(frozen=True)
class KernelRun:
    """What a compiled run came to; `left` says why there is nothing else."""

    left: str
    ticks: int = 0
    steps: Rows | None = None
    """(n, 3): NAV and gas in asset units, health."""
    sent: Ints | None = None
    made: Rows | None = None
    figures: dict[str, Any] | None = None

    @property
    def decisions(self) -> list[tuple[int, tuple[tuple[int, bool, int, int], ...]]]:
        """(time, moves) of everything sent; no moves: a heartbeat. A move is kind, whether base, amount and limit."""
        if self.sent is None or self.made is None:
            return []
        found = []
        for time, _, first, count, _ in self.sent.tolist():
            rows = self.made[first : first + count].tolist()
            moves = ((int(r[0]), bool(r[1]), whole(r[2], r[3]), whole(r[4], r[5])) for r in rows)
            found.append((time, tuple(moves)))
        return found


def why_not(strategy: Strategy, spec: BacktestSpec, policies: Policies) -> str:
    """The first restriction of the kernel that a rule or its world breaks; empty if it may be tried."""
    planning, guard, caps = policies.planning, policies.guard, spec.terms.caps
    cases = (
        (
            type(strategy).__module__ not in RULES,
            "the strategy is no delta_band and no delta_hedge",
        ),
        (bool(getattr(strategy, "venue", "")), "the hedge is at a perpetual venue"),
        (spec.options.assumed_premium_bps is not None, "there is an option market"),
        (spec.pool.base_is_token0, "the pool's token0 is base"),
        ((spec.asset.decimals, spec.base.decimals) != (6, 18), "tokens have no 6 and 18 decimals"),
        (spec.oracle.latency_s != 0, "the oracle's rounds come late"),
        (caps.max_venue_bps < BPS, "the mandate bounds the venue's share"),
        (
            spec.chain.latency_blocks * spec.chain.block_s > TickRules().deadline_s,
            "transactions would land after their deadline",
        ),
        (spec.chain.arbitrage_blocks != 0, "the arbitrageur answers late"),
        (planning.idle_reserve != 0, "planning keeps an idle reserve"),
        (
            planning.max_loss_bps > guard.max_loss_bps,
            "plans may lose more than the guard lets pass",
        ),
        (spec.chain.base_fee_wei > guard.max_routine_base_fee_wei, "gas is too dear for routine"),
        (
            spec.chain.keeper_balance_wei < 4 * guard.min_keeper_balance_wei + WAD,
            "the keeper's account is too small",
        ),
        (policies.risk.volatility is not None, "a volatility forecast is set"),
    )
    return next((why for broken, why in cases if broken), "")


def why_not_on(events: Sequence[Event]) -> str:
    """The same of what happens."""
    last = -1
    for event in events:
        if not isinstance(event, PriceEvent):
            return "there are events beside prices"
        if event.time <= last:
            return "two prices at one time"
        if event.price_wad % BEYOND or event.price_wad >= BEYOND * 2**50:
            return "a price has more than eight decimals"
        last = event.time
    return ""


def path_of(spec: BacktestSpec, events: Sequence[Event]) -> Path:
    """Everything about a path that depends on prices and the world only, in exact integers."""
    prices = [e for e in events if isinstance(e, PriceEvent)]
    pool = Pool(spec.pool, spec.asset.decimals, spec.base.decimals)
    pool.open(prices[0].time, prices[0].price_wad)
    kept = PIPS - spec.pool.fee_pips
    opened = pool.sqrt_price_x96, pool.liquidity
    columns = np.zeros((len(prices), 9), dtype=np.int64)
    roots = np.zeros((len(prices), 5))
    columns[:, kr.P_TIME] = [e.time for e in prices]
    columns[:, kr.P_MARKET] = [e.price_wad // BEYOND for e in prices]
    columns[:, kr.P_ANSWER], columns[:, kr.P_UPDATED] = _answers(spec.oracle, prices)
    columns[:, kr.P_RAMP] = [e.ramp_s for e in prices]
    columns[:, kr.P_DECIDES] = [e.decides for e in prices]
    # asset is token0: the root falls as base gets dearer
    for low, tick, reached in (
        (0, kr.P_LOW_TICK, [pool.root_of(e.price_wad * PIPS // kept) for e in prices]),
        (2, kr.P_HIGH_TICK, [pool.root_of(e.price_wad * kept // PIPS) for e in prices]),
    ):
        pairs = np.array([wide(root) for root in reached])
        roots[:, low : low + 2] = pairs
        columns[:, tick] = _ticks(reached, pairs[:, 0])
    roots[:, 4] = _volatilities(spec, prices)
    columns[:, kr.P_FORECAST] = (roots[:, 4] >= 0.01) & (roots[:, 4] <= 10.0)
    first = int(columns[:, kr.P_LOW_TICK].min()) - _MARGIN_TICKS
    last = int(columns[:, kr.P_HIGH_TICK].max()) + _MARGIN_TICKS
    table = [wide(price_of_tick_wad(tick, False, 18, 6)) for tick in range(first, last + 1)]
    digest = hashlib.sha256(columns.tobytes() + roots.tobytes()).digest()
    ends = day_ends(columns[:, kr.P_TIME])
    daily = columns[ends, kr.P_MARKET] / ANSWER
    return Path(columns, roots, np.array(table), first, *opened, digest, ends, daily)


def _answers(oracle: OracleSpec, prices: Sequence[PriceEvent]) -> Ints:
    """(2, n): what the feed says at each price, eight decimals, and since when."""
    answer, updated = prices[0].price_wad // BEYOND, prices[0].time
    said: list[tuple[int, int]] = []
    for event in prices:
        units = event.price_wad // BEYOND
        moved = abs(units - answer) * BPS > oracle.deviation_bps * answer
        if moved or event.time - updated >= oracle.heartbeat_s:
            answer, updated = units, event.time
        said.append((answer, updated))
    found: Ints = np.array(said, dtype=np.int64).T
    return found


def _ticks(roots: Sequence[int], rough: Rows) -> Ints:
    """(n,) `tick_at_sqrt_price` of each: by the logarithm where it is clear of a tick, whose ratios the pool rounds."""
    at = 2.0 * np.log(rough / 2.0**96) / np.log(1.0001)
    ticks = np.floor(at)
    near = (np.abs(at - np.rint(at)) < _CLEAR_TICKS) | (np.abs(at) > _EXACT_TICKS)
    for place in np.flatnonzero(near).tolist():
        ticks[place] = tick_at_sqrt_price(roots[place])
    found: Ints = ticks.astype(np.int64)
    return found


def _volatilities(spec: BacktestSpec, prices: Sequence[PriceEvent]) -> list[float]:
    """(n,) realised, as the pipeline's market has it; NaN in the first day."""
    market, found = OptionMarket(spec.options), []
    for event in prices:
        market.observe(event.time, event.price_wad / WAD)
        found.append(math.nan if market.realised is None else market.realised)
    return found


def run_kernel(spec: BacktestSpec, path: Path, strategy: Strategy, policies: Policies) -> KernelRun:
    """Play it; the caller has asked `why_not`."""
    n = path.columns.shape[0]
    world = World.opened(
        spec, int(path.columns[0, kr.P_TIME]), int(path.columns[0, kr.P_MARKET]) * BEYOND
    )
    v, curve = _vault(world, path), _curves(spec)
    f, c = _settings(spec, policies, strategy), _chain(spec, policies, strategy, path)
    rule = _rule(spec, strategy)
    k = np.zeros(kv.TIMES, dtype=np.int64)
    k[kv.NOW] = k[kv.BEAT_AT] = world.time
    k[kv.LENGTH :], k[kv.TICK] = -1, world.pool.tick
    points = np.empty((4 * n + 1_024, 3), dtype=np.int64)
    points[0] = world.pool._points[0]  # its own memory of its past
    steps, sums = np.zeros((n, 3)), np.zeros(6)
    sent, made = np.zeros((n + 64, 5), dtype=np.int64), np.empty((3 * n + 256, 6))
    why, bar, transactions, ticks = kr.play(
        v,
        curve,
        f,
        k,
        c,
        rule,
        path.table,
        points,
        path.columns,
        path.roots,
        steps,
        sums,
        sent,
        made,
        np.zeros((kp.MOST_MOVES, 6)),
        np.zeros((kp.DRAFT, 2)),
        np.zeros((kv.VAULT, 2)),
    )
    if why:
        return KernelRun(f"bar {bar}: {kv.LEFT[why]}", ticks)
    sent = sent[:transactions]
    made = made[: int(sent[:, 3].sum())]
    figures = _figures(path, (steps, sums, sent, made), ticks)
    return KernelRun("", ticks, steps, sent, made, figures)


def _vault(world: World, path: Path) -> Rows:
    v = np.zeros((kv.VAULT, 2))
    sides: tuple[Reserve, ...] = (world.lending.asset, world.lending.base)
    idle = (world.idle_asset, world.idle_base)
    for side, reserve in enumerate(sides):
        for place, value in (
            (kp.IDLE_A, idle[side]),
            (kp.SUP_A, reserve.supplied),
            (kp.DEBT_A, reserve.debt),
            (kp.FREE_A, reserve.available),
            (kv.SHARE_S, reserve.scaled_supply),
            (kv.SHARE_D, reserve.scaled_debt),
            (kv.INDEX_S, reserve.supply_index),
            (kv.INDEX_D, reserve.debt_index),
            (kv.RATE_S, reserve.supply_ray),
            (kv.RATE_D, reserve.borrow_ray),
            (kv.OTHER_S, reserve.others_supply),
            (kv.OTHER_D, reserve.others_debt),
        ):
            v[place + side] = wide(value)
    v[kp.ROOT], v[kp.LIQUIDITY] = wide(path.root), wide(path.liquidity)
    v[kp.PRICE] = wide(world.oracle.base.answer)
    return v


def _curves(spec: BacktestSpec) -> Rows:
    rows = []
    for reserve in (spec.asset_reserve, spec.base_reserve):
        values = (
            reserve.base_ray,
            reserve.slope1_ray,
            reserve.slope2_ray,
            reserve.optimal_ray,
            RAY - reserve.optimal_ray,
            BPS - reserve.reserve_factor_bps,
        )
        rows += [wide(value) for value in values]
    return np.array(rows)


def _settings(spec: BacktestSpec, policies: Policies, strategy: Strategy) -> Rows:
    f = np.zeros(kr.F_SETTINGS)
    limits, caps, planning = spec.terms.limits, spec.terms.caps, policies.planning
    a, b = spec.asset_reserve, spec.base_reserve
    values = {
        kp.F_MIN_TRADE: planning.min_trade,
        kp.F_MARGIN: planning.loss_margin_bps,
        kp.F_SLIPPAGE: planning.slippage_bps,
        kp.F_SWAP_LOSS: limits.max_swap_loss_bps,
        kp.F_FEE: spec.pool.fee_pips,
        kp.F_LTV_A: a.ltv_bps,
        kp.F_LTV_B: b.ltv_bps,
        kp.F_LINE_A: a.threshold_bps,
        kp.F_LINE_B: b.threshold_bps,
        kp.F_MOST_BORROW: limits.max_borrow_bps,
        kv.F_MIN_HEALTH: limits.min_health_wad,
        kv.F_MOST_LOSS: limits.max_loss_bps,
        kv.F_LOSS_DAY: limits.max_loss_per_day_bps,
        kv.F_SAFE_DAY: caps.protective_loss_per_day_bps,
        kv.F_TURNOVER_DAY: caps.turnover_per_day_bps,
        kv.F_DELTA_TARGET: caps.delta_target_bps,
        kv.F_DELTA_BAND: caps.delta_band_bps,
        kv.F_COOLDOWN: caps.cooldown_s,
        kv.F_MOST_AGE: caps.max_oracle_age_s,
        kv.F_POLICY_LOSS: min(limits.max_loss_bps, planning.max_loss_bps),
        kv.F_POLICY_SWAP: planning.max_swap,
        kr.F_AVERSION: planning.risk_aversion,
        kr.F_WAITING_DAYS: planning.waiting_days,
        kr.F_SLICE: planning.slice_impact_bps,
        kr.F_TARGET: getattr(strategy, "target_delta", 0.0),
        kr.F_LEAST_BAND: getattr(strategy, "least_band", 0.0),
        kr.F_SOURCES_BPS: min(spec.oracle.max_deviation_bps, policies.market.max_deviation_bps),
        kr.F_SPOT_BPS: policies.market.max_spot_deviation_bps,
        kr.F_FAULT_BPS: spec.oracle.max_deviation_bps,
    }
    for place, value in values.items():
        f[place] = float(value)
    return f


def _chain(spec: BacktestSpec, policies: Policies, strategy: Strategy, path: Path) -> Ints:
    c = np.zeros(kr.C_NUMBERS, dtype=np.int64)
    chain, oracle = spec.chain, spec.oracle
    values = {
        kr.C_RULE: RULES[type(strategy).__module__],
        kr.C_BLOCK: chain.block_s,
        kr.C_LATENCY: chain.latency_blocks * chain.block_s,
        kr.C_FOLLOW_UPS: spec.follow_ups,
        kr.C_WINDOW: spec.pool.twap_window_s,
        kr.C_MAX_AGE: oracle.max_age_s,
        kr.C_FEED_AGE: min(oracle.max_age_s, policies.market.max_feed_age_s),
        kr.C_FIRST_TICK: path.first_tick,
        kr.C_SILENCE: spec.terms.emergency.silence_s * policies.upkeep.beat_after_bps,
        kr.C_FEE_WEI: chain.base_fee_wei + chain.tip_wei,
        kr.C_GAS_BEAT: chain.gas_beat,
        kr.C_GAS_BASE: GAS_BASE,
        kr.C_BASE_FEE: chain.base_fee_wei,
        kr.C_LEAST_ANSWER: oracle.min_answer,
        kr.C_MOST_ANSWER: oracle.max_answer,
    }
    for place, value in values.items():
        c[place] = value
    for kind in range(5):
        c[kr.C_GAS + kind] = GAS_PER_MOVE[MoveKind(kind)]
    return c


def _rule(spec: BacktestSpec, strategy: Strategy) -> Rows:
    least_health = spec.terms.limits.min_health_wad
    unit = 10**spec.base.decimals
    margin = wad_down(1 + float(getattr(strategy, "health_margin", 0.0)))
    values = (
        round(float(getattr(strategy, "target_delta", 0.0)) * unit),
        round(float(getattr(strategy, "band", 0.0)) * unit),
        least_health * margin // WAD,
        spec.terms.emergency.emergency_health_wad,
        -(-least_health * (BPS + FLOOR_MARGIN_BPS) // BPS),
    )
    return np.array([wide(value) for value in values])


def _figures(path: Path, played: tuple[Rows, Rows, Ints, Rows], ticks: int) -> dict[str, Any]:
    """The columns of a row; ratios by the same functions as the pipeline's."""
    unit, (steps, sums, sent, made) = 1e6, played
    times, nav = path.columns[:, kr.P_TIME], steps[:, 0] / unit
    days = np.empty((path.ends.size, 1))
    worst, least = curve_of(steps, path.ends, days)
    ratios = statistics_of_days(times[path.ends], days[:, 0], path.daily, worst, least)
    years = float(times[-1] - times[0]) / _YEAR_S
    mean, lowest = float(np.mean(nav)), float(np.min(steps[:, 2]))
    landed = sent[:, 4] == 1
    # moves stand in the order of what was sent, so those of the last that did not land are the last
    swaps = int((made[: int(sent[landed, 3].sum()), 0] == kp.SWAP).sum())
    found = hashlib.sha256(path.digest)
    for part in (steps, sums, sent, made):
        found.update(np.ascontiguousarray(part).tobytes())
    return {
        "engine": "kernel",
        "opening_nav": float(nav[0]),
        "closing_nav": float(nav[-1]),
        **asdict(ratios),
        "turnover": float(sums[5] / unit / mean / years) if years > 0 and mean > 0 else 0.0,
        "lowest_health": lowest if np.isfinite(lowest) else None,
        "gas": float(steps[-1, 1] / unit),
        "pool_fees": float(sums[2] / unit),
        "impact": float(sums[3] / unit),
        "basis": float(sums[4] / unit),
        **dict.fromkeys(("venue_fees", "spread", "funding"), 0.0),
        "interest_paid": float(sums[1] / unit),
        "interest_earned": float(sums[0] / unit),
        "steps": int(times.size),
        "ticks": ticks,
        "transactions": int(landed.sum()),
        **dict.fromkeys(("reverted", "orders", "option_fills", "liquidations"), 0),
        "swaps": swaps,
        "liquidation_loss": 0.0,
        "digest": found.hexdigest(),
    }
