"""The band of delta asks for its target outside the band, and for no more than health allows."""

import math

import pytest

from keeper.model.decision import Lane, Target
from keeper.model.market import Readings
from keeper.model.units import WAD
from keeper.planning import make_plan
from keeper.risk import assess
from strategies.delta_band import DeltaBand
from tests.builders import ether, make_limits, make_market, make_readings, planning_policy


def hedged(*, idle_asset: float = 400_000, idle_base: float = 0, debt_base: float = 0) -> Readings:
    return make_readings(
        supplied_base=0,
        debt_asset=0,
        supplied_asset=500_000,
        idle_asset=idle_asset,
        idle_base=idle_base,
        debt_base=debt_base,
    )


def ask(readings: Readings, band: DeltaBand, faults: tuple[str, ...] = ()) -> Target:
    market = make_market(readings, faults=faults)
    return band(market, assess(market))


@pytest.mark.parametrize(
    ("target", "band", "margin"),
    [
        (math.nan, 1, 0.1),
        (math.inf, 1, 0.1),
        (0, 0, 0.1),
        (0, -1, 0.1),
        (0, math.nan, 0.1),
        (0, 1, -0.1),
        (0, 1, math.nan),
    ],
)
def test_refuses_parameters_that_make_no_band(target: float, band: float, margin: float) -> None:
    with pytest.raises(ValueError, match=r"must not be negative|needs a finite"):
        DeltaBand(target_delta=target, band=band, health_margin=margin)


@pytest.mark.parametrize(("idle_base", "acts"), [(0, False), (5, False), (5.01, True), (40, True)])
def test_acts_outside_the_band_and_goes_to_the_target(idle_base: float, acts: bool) -> None:
    target = ask(hedged(idle_base=idle_base), DeltaBand(0, 5))
    assert target.hold is not acts
    assert target.net_delta == (0 if acts else None)
    assert target.lane is Lane.ROUTINE
    assert target.health_wad is None


def test_a_short_target_is_reached_by_borrowing() -> None:
    target = ask(hedged(), DeltaBand(-50, 5))
    assert target.net_delta == -ether(50)


@pytest.mark.parametrize("readings", [hedged(idle_base=40), make_readings()])
def test_nothing_is_asked_while_prices_cannot_be_traded_on(readings: Readings) -> None:
    target = ask(readings, DeltaBand(0, 5), ("feed is old",))
    assert target.hold
    assert "feed is old" in target.reason


def test_nothing_is_asked_of_a_paused_vault() -> None:
    assert ask(make_readings(paused=True), DeltaBand(0, 5)).hold


def test_asks_only_as_far_as_health_allows() -> None:
    readings = make_readings(limits=make_limits(min_health=1.10))
    target = ask(readings, DeltaBand(0, 5))
    assert "as far as health allows" in target.reason
    assert target.net_delta is not None
    market = make_market(readings)
    plan = make_plan(market, assess(market), target, planning_policy())
    assert plan.moves
    assert plan.expected_health_wad >= 121 * WAD // 100


def test_asks_nothing_near_the_mandates_minimum() -> None:
    readings = make_readings(limits=make_limits(min_health=1.15))  # health 1.245 < 1.265
    target = ask(readings, DeltaBand(0, 5))
    assert target.hold
    assert "leaves no room over 1.2650" in target.reason


def test_idle_base_may_be_sold_even_then() -> None:
    readings = make_readings(idle_base=30, limits=make_limits(min_health=1.15))
    target = ask(readings, DeltaBand(1_480, 5))
    assert target.net_delta == ether(1_500)


def test_buying_back_what_is_owed_needs_no_room() -> None:
    readings = hedged(idle_asset=400_000, debt_base=180)  # health 1.11
    assert ask(readings, DeltaBand(0, 5)).net_delta == 0


def test_buying_back_goes_as_far_as_idle_dollars_when_health_is_low() -> None:
    readings = hedged(idle_asset=100_000, debt_base=180)
    assert ask(readings, DeltaBand(0, 5)).net_delta == -ether(130)
