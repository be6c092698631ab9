"""This project's backtest on the common rule, in the environment of the keeper: the pipeline that runs live.

The rule: hold half of the equity in ether; when its share has left 45 to 55 per cent at a bar's close, trade it back.
Beside the rule, every bar passes market checks, the risk report, planning, the guard, a journal in memory, simulation
at the block of execution, interest, and exact books: none of which the peers have.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from keeper.backtest import BacktestSpec, default_policies, run_backtest
from keeper.backtest.events import PriceEvent
from keeper.backtest.files import Files, read_events
from keeper.backtest.spec import Holdings
from keeper.model.decision import Lane, Target
from keeper.model.market import MarketState
from keeper.model.risk import RiskReport
from keeper.model.units import BPS, Raw

SHARE_BPS, BAND_BPS, CASH = 5_000, 500, 1_000_000


@dataclass(frozen=True, slots=True)
class Half:
    """Half in ether."""

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """Trade back to half where the share has left the band."""
        price, nav = market.readings.price.price_wad, risk.nav
        if not market.tradable or not nav or market.readings.paused:
            return Target(Lane.ROUTINE, None, None, "no price")
        unit = 10 ** (18 + market.readings.base.decimals - market.readings.asset.decimals)
        share_bps = risk.net_delta * price * BPS // (nav * unit)
        if abs(share_bps - SHARE_BPS) <= BAND_BPS:
            return Target(Lane.ROUTINE, None, None, "inside the band")
        wanted = nav * unit * SHARE_BPS // (price * BPS)
        return Target(Lane.ROUTINE, None, Raw(wanted), "back to half")


def run(path: Path) -> dict[str, float]:
    """One run: bars, seconds, trades."""
    events = list(
        read_events(Files(price=path, max_missing=100, accept_no_volume=True), None, None)
    )
    bars = sum(isinstance(event, PriceEvent) for event in events)
    spec = BacktestSpec(holdings=Holdings(idle_asset=CASH * 10**6, idle_base=0))
    policies = default_policies(spec.asset.decimals)
    roomy = replace(policies.planning, max_swap=Raw(10**9 * 10**6))
    began = perf_counter()
    result = run_backtest(
        spec, iter(events), Half(), replace(policies, planning=roomy), name="half"
    )
    seconds = perf_counter() - began
    if not result.attribution.exact:
        raise RuntimeError("the books of the run are not exact")
    return {"bars": bars, "seconds": seconds, "trades": len(result.swaps)}
