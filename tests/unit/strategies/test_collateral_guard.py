"""The guard of collateral acts outside its band, towards its target, and rests inside."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.model.decision import Lane, Target
from keeper.model.exposure import RiskInputs
from keeper.model.market import Readings
from keeper.model.risk_report import CollateralTarget
from keeper.model.units import Bps, Wad, wad_down
from keeper.risk import assess
from strategies.collateral_guard import CollateralGuard
from tests.builders import make_market, make_price, make_readings, wad

GUARD = CollateralGuard(low=1.25, target=1.45, high=1.8)


def ask(
    readings: Readings,
    guard: CollateralGuard = GUARD,
    faults: tuple[str, ...] = (),
    inputs: RiskInputs | None = None,
) -> Target:
    market = make_market(readings, faults=faults)
    return guard(market, assess(market, inputs))


@pytest.mark.parametrize(
    ("low", "target", "high"),
    [
        (1.0, 1.4, 1.8),
        (0.9, 1.4, 1.8),
        (1.4, 1.4, 1.8),
        (1.3, 1.9, 1.8),
        (1.3, 1.4, 1.4),
        (float("nan"), 1.4, 1.8),
        (1.3, float("nan"), 1.8),
        (1.3, 1.4, float("inf")),
    ],
)
def test_refuses_a_band_that_is_none(low: float, target: float, high: float) -> None:
    with pytest.raises(ValueError, match="1 < low < target < high"):
        CollateralGuard(low=low, target=target, high=high)


def test_refuses_a_negative_calm() -> None:
    with pytest.raises(ValueError, match="calm_deviation_bps"):
        CollateralGuard(calm_deviation_bps=-1)


@pytest.mark.parametrize(
    ("price", "lane"),
    [
        (1_600, Lane.PROTECTIVE),
        (2_000, Lane.PROTECTIVE),  # health 1.245
        (2_009, None),  # 1.2506
        (2_330, None),  # 1.4504
        (2_890, None),  # 1.799
        (2_900, Lane.ROUTINE),  # 1.805
    ],
)
def test_acts_outside_the_band_only(price: float, lane: Lane | None) -> None:
    target = ask(make_readings(price=price))
    assert target.hold == (lane is None)
    if lane is not None:
        assert target.lane is lane
        assert target.health_wad == wad(1.45)
        assert target.net_delta is None
    assert "health" in target.reason


def test_no_position_is_held() -> None:
    target = ask(make_readings(supplied_base=0, debt_asset=0, idle_asset=100))
    assert target.hold
    assert target.reason == "no position"


def test_an_unreadable_venue_is_held_and_not_taken_for_danger() -> None:
    target = ask(replace(make_readings(), venue_readable=False), faults=("venue",))
    assert target.hold
    assert "cannot be read" in target.reason


def test_protection_does_not_wait_for_a_usable_price() -> None:
    target = ask(make_readings(price=1_900), faults=("stale",))
    assert target.lane is Lane.PROTECTIVE
    assert not target.hold


def test_protection_does_not_wait_for_the_pause_to_end() -> None:
    assert ask(make_readings(price=1_900, paused=True)).lane is Lane.PROTECTIVE


@pytest.mark.parametrize(
    ("readings", "guard", "faults", "why"),
    [
        (make_readings(price=3_000), replace(GUARD, relever=False), (), "switched off"),
        (make_readings(price=3_000), GUARD, ("feed is old",), "feed is old"),
        (make_readings(price=3_000, paused=True), GUARD, (), "paused"),
        (
            replace(make_readings(price=3_000), price=make_price(3_000, twap=2_970)),
            GUARD,
            (),
            "not calm: sources 100 bps apart",
        ),
    ],
)
def test_relevers_only_when_that_is_safe(
    readings: Readings, guard: CollateralGuard, faults: tuple[str, ...], why: str
) -> None:
    target = ask(readings, guard, faults)
    assert target.hold
    assert why in target.reason


@pytest.mark.parametrize(("units", "acts"), [(-1, True), (0, False), (1, False)])
def test_health_at_the_lower_end_is_inside_the_band(units: int, acts: bool) -> None:
    market = make_market()
    risk = replace(assess(market), health_wad=Wad(wad_down(GUARD.low) + units))
    assert GUARD(market, risk).hold is not acts


@pytest.mark.parametrize(("units", "acts"), [(0, False), (1, True)])
def test_health_at_the_upper_end_is_inside_the_band(units: int, acts: bool) -> None:
    market = make_market()
    risk = replace(assess(market), health_wad=Wad(wad_down(GUARD.high) + units))
    assert GUARD(market, risk).hold is not acts


@pytest.mark.parametrize(("apart_bps", "calm"), [(50, True), (51, False)])
def test_sources_as_far_apart_as_calm_allows_are_calm(apart_bps: int, calm: bool) -> None:
    readings = make_readings(price=3_000)
    price = replace(readings.price, deviation_bps=Bps(apart_bps))
    assert ask(replace(readings, price=price)).hold is not calm


def test_collateral_without_debt_is_levered_to_the_target() -> None:
    target = ask(make_readings(debt_asset=0))
    assert target.lane is Lane.ROUTINE
    assert target.health_wad == wad(1.45)


STRESS = RiskInputs(volatility=4.0)
"""At 1,000 gwei of base fee: low 1.21, target 1.40, high 1.62 for a floor of 1.05."""


def test_the_health_risk_asks_for_raises_the_band() -> None:
    narrow = CollateralGuard(low=1.10, target=1.20, high=1.30)
    readings = make_readings(price=2_000, base_fee_gwei=1_000)  # health 1.245
    assert ask(readings, narrow).hold
    market = make_market(readings)
    asked = assess(market, STRESS).collateral
    assert asked is not None
    assert 1.20 < asked.target < 2.0
    poor = make_readings(price=1_850, base_fee_gwei=1_000)  # health 1.152
    target = ask(poor, narrow, inputs=STRESS)
    assert target.lane is Lane.PROTECTIVE
    assert target.health_wad is not None
    assert asked.target * 10**18 <= target.health_wad <= (asked.target + 1.1e-4) * 10**18
    assert "raised for the risk of the wait" in target.reason
    fixed = ask(poor, replace(narrow, volatility_adjusted=False), inputs=STRESS)
    assert fixed.hold


def test_without_a_forecast_the_parameters_are_kept() -> None:
    for price in (1_600, 2_000, 2_400, 3_000):
        fixed = replace(GUARD, volatility_adjusted=False)
        assert ask(make_readings(price=price)) == ask(make_readings(price=price), fixed)


@given(
    st.tuples(*[st.floats(1.0, 3.5)] * 3).map(sorted),
    st.floats(0.9, 4.0),
)
def test_risk_never_makes_the_band_less_safe(asked: list[float], health: float) -> None:
    """Whatever risk asks for: no lower target, protection no later, re-levering no earlier."""
    market = make_market(make_readings(price=3_000))
    risk = replace(
        assess(market),
        health_wad=wad(health),
        collateral=CollateralTarget(asked[0], asked[1], asked[2], False),
    )
    adjusted = GUARD(market, risk)
    fixed = replace(GUARD, volatility_adjusted=False)(market, risk)
    if fixed.lane is Lane.PROTECTIVE:
        assert adjusted.lane is Lane.PROTECTIVE
        assert adjusted.health_wad is not None and fixed.health_wad is not None  # noqa: PT018
        assert adjusted.health_wad >= fixed.health_wad
    if not adjusted.hold and adjusted.lane is Lane.ROUTINE:
        assert not fixed.hold
        assert adjusted.health_wad is not None and fixed.health_wad is not None  # noqa: PT018
        assert adjusted.health_wad >= fixed.health_wad
    if adjusted.health_wad is not None:
        assert adjusted.health_wad >= max(GUARD.target, asked[1]) * 10**18 * (1 - 1e-12)


def test_the_last_bits_of_a_forecast_change_no_plan() -> None:
    """K-07 on another machine, whose logarithms may differ in them."""
    market = make_market(make_readings(price=1_500))
    risk = replace(assess(market), collateral=CollateralTarget(1.3, 1.55555, 1.9, False))
    other = replace(risk, collateral=CollateralTarget(1.3, 1.55555 * (1 + 1e-15), 1.9, False))
    assert GUARD(market, risk) == GUARD(market, other)
