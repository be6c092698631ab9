"""What the no-trade band and slices of planning are worth: the figures behind their defaults.

    python -m scripts.study.planning [--bars FILE] [--quick]

Two measurements on hourly ETH of 2022, each over a grid fixed beforehand, all else as by default: a target that moves
with every price (half of NAV in base, ninety days) at several aversions, and three thousand ether wanted sold in one
wish (ten days) in a pool of 400 and of 40 million assets, at several impacts from which on a change is sliced.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from keeper.backtest import BacktestResult, BacktestSpec, default_policies, run_backtest
from keeper.backtest.events import Event
from keeper.backtest.files import Files, read_events
from keeper.backtest.ledger import Cause
from keeper.backtest.spec import Holdings, PoolSpec
from keeper.model.decision import Lane, Target
from keeper.model.ledger import Ledger
from keeper.model.market import MarketState
from keeper.model.ports import Strategy
from keeper.model.risk import RiskReport
from keeper.model.units import Bps, Raw
from scripts.study.output import HOURLY, Table, data_or_skip, save
from strategies.delta_band import DeltaBand

START = 1_640_995_200
"""2022-01-01."""
DAY = 86_400
AVERSIONS = (0.0, 1.0, 3.0, 10.0, 30.0)
IMPACTS_BPS = (10_000, 200, 100, 50, 20)
DEPTHS_MILLION = (400, 40)
COSTS = (Cause.POOL_FEE, Cause.IMPACT, Cause.BASIS)


class Half:
    """Half of NAV in base at every price."""

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """A target that moves with every price, so that each tick has a reason to trade."""
        del risk
        if not market.tradable:
            return Target(Lane.ROUTINE, None, None, "no price")
        ledger = Ledger.of(market.readings)
        half = ledger.nav_down() * ledger.asset_scale // (2 * ledger.base_scale)
        return Target(Lane.ROUTINE, None, Raw(half), "half of NAV in base")


def played(
    spec: BacktestSpec, events: list[Event], strategy: Strategy, **planning: float
) -> BacktestResult:
    """One run; swaps as large as wanted, and losses of 5 % of NAV allowed, so that only what is measured binds."""
    policies = default_policies(connected=spec.venues)
    most = Bps(500)
    policies = replace(
        policies,
        planning=replace(
            policies.planning,
            max_swap=Raw(50_000_000 * 10**6),
            max_loss_bps=most,
            **planning,  # type: ignore[arg-type]
        ),
        guard=replace(policies.guard, max_loss_bps=most),
    )
    return run_backtest(spec, events, strategy, policies)


def figures(result: BacktestResult) -> tuple[str, ...]:
    """Swaps, what the pool took, gas, and the volatility of NAV a year."""
    unit = 10**result.asset_decimals
    taken = -sum(result.attribution.by_cause.get(cause, 0) for cause in COSTS) / unit
    gas = result.attribution.gas / unit
    spread = float(np.std(np.diff(np.log(result.equity)))) * (365 * 24) ** 0.5
    return str(len(result.swaps)), f"{taken:,.0f}", f"{gas:,.0f}", f"{spread:.2%}"


def bands(bars: Path, days: int) -> Table:
    """The no-trade band by aversion."""
    table = Table(
        "planning_band",
        f"Half of NAV in base, {days} days, by aversion (0: no band)",
        ("aversion", "swaps", "fee, impact and basis", "gas", "volatility of NAV"),
    )
    events = events_of(bars, days)
    held = Holdings(idle_asset=3_000_000 * 10**6, idle_base=1_000 * 10**18)
    for aversion in AVERSIONS:
        result = played(
            replace(BacktestSpec(), holdings=held), events, Half(), risk_aversion=aversion
        )
        table.add(f"{aversion:g}", *figures(result))
    return table


def slices(bars: Path, days: int) -> Table:
    """Slices by the impact from which on a change is made in several."""
    table = Table(
        "planning_slices",
        f"3,000 ether wanted sold at once, {days} days, by the impact from which on it is sliced",
        ("pool, million", "sliced over", "swaps", "fee, impact and basis", "gas", "volatility of NAV"),
    )  # fmt: skip
    events = events_of(bars, days)
    held = Holdings(idle_asset=5_000_000 * 10**6, idle_base=3_000 * 10**18)
    for depth in DEPTHS_MILLION:
        spec = replace(BacktestSpec(), holdings=held, pool=PoolSpec(depth=depth * 10**12))
        for impact in IMPACTS_BPS:
            sold = DeltaBand(target_delta=0.0, band=100.0)
            result = played(spec, events, sold, slice_impact_bps=impact)
            table.add(str(depth), f"{impact / 100:g} %", *figures(result))
    return table


def events_of(bars: Path, days: int) -> list[Event]:
    """Hourly history from the first of 2022."""
    files = Files(bars, max_missing=6, accept_no_volume=True)
    return list(read_events(files, START, START + days * DAY))


def main() -> None:
    """Run, print, save."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--bars", type=Path)
    asked.add_argument("--quick", action="store_true", help="a ninth of the days of the band")
    options = asked.parse_args()
    begun = time.monotonic()
    bars = options.bars or data_or_skip(HOURLY)
    tables = [bands(bars, 10 if options.quick else 90), slices(bars, 10)]
    save(tables, "python -m scripts.study.planning", time.monotonic() - begun)


if __name__ == "__main__":
    main()
