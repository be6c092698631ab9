"""A rise of 400 % with a short against spot: it stays hedged, is never closed by its venue, and breaks no limit."""

import math

import pytest

from keeper.backtest.events import Event, FundingEvent, PriceEvent
from keeper.backtest.spec import BacktestSpec, Holdings
from keeper.model.ports import Strategy
from strategies.basis_funding import BasisFunding
from strategies.delta_hedge import DeltaHedge
from tests.gauntlet.scenarios import policies_of
from tests.gauntlet.watch import watched
from tests.unit.backtest.worlds import HOUR, START, price

LEFT = 0.12
"""Of NAV: planning leaves a trade that costs more than it is worth, and swaps cost more than orders: between two
hours one leg may have moved without the other (decision 65)."""
MILLION = 1_000_000 * 10**6
WEEK = 8 * 24


def rise(steps: int, noise: float, seed: int, funding: float) -> list[Event]:
    """Eight days of payments and of no move, so that what is wanted is there, then five times the price in equal parts.

    No step is down: `noise` moves the steps' times of arrival only, by the size of each.
    """
    events: list[Event] = []
    value = 2_000.0
    for hour in range(WEEK):
        at = START + hour * HOUR
        if hour % 8 == 0:
            events.append(FundingEvent(at, round(funding * 10**9) * 10**9, 8 * HOUR))
        # in a dead calm planning finds no trade worth its cost
        events.append(PriceEvent(at, price(value * (1 + 0.005 * (hour % 2))), ramp_s=HOUR))
    parts = [1 + noise * math.sin(seed + part * 2.4) for part in range(steps)]
    for step, part in enumerate(parts):
        at = START + (WEEK + step) * HOUR
        value *= math.exp(math.log(5) * part / sum(parts))
        if step % 8 == 0:
            events.append(FundingEvent(at, round(funding * 10**9) * 10**9, 8 * HOUR))
        events.append(PriceEvent(at, price(value), ramp_s=HOUR))
    return events


@pytest.mark.parametrize(
    ("strategy", "share", "off"),
    [
        (DeltaHedge(venue="perp"), 0.5, 0.005 + LEFT),
        (DeltaHedge(venue="perp"), 0.9, 0.005 + LEFT),
        (BasisFunding(), 0.0, 0.005),
    ],
    ids=["half ether", "nearly all ether", "basis"],
)
@pytest.mark.parametrize("steps", [80, 120, 160, 240])
def test_what_is_hedged_stays_hedged_through_a_rise_of_400_percent(
    strategy: Strategy, share: float, off: float, steps: int
) -> None:
    events = rise(steps, 0.5, 3, 0.0003)
    base = round(share * MILLION) * 10**12 // 2_000
    spec = BacktestSpec(holdings=Holdings(MILLION - round(share * MILLION), base))
    result, watch = watched(spec, events, strategy, policies_of(spec))
    assert not watch.breaches, "\n".join(map(str, watch.breaches[:5]))
    assert not result.liquidations
    rows = result.steps
    rising = rows["time"] > START + WEEK * HOUR
    assert max(rows["perpetual"][rising][1:]) < 0  # it never stands without its hedge
    worst = max((abs(rows["delta"]) * rows["market"] / rows["nav"])[rising])
    assert worst <= off, f"delta is {worst:.2%} of NAV off"
