"""From which health the rest of a protective change may wait."""

from dataclasses import replace
from math import exp, sqrt
from statistics import NormalDist

import pytest

from keeper.model.market import MarketState
from keeper.model.outlook import Outlook
from keeper.model.units import WAD, Wad
from keeper.planning.urgency import limit_wad, waits_from_wad
from tests.builders import make_emergency, make_limits, make_market, make_readings, planning_policy

POLICY = replace(planning_policy(), protective_slice_risk=0.01, slice_horizon_s=3_600)


def market_of(
    *, debt: float = 1_000_000, least: float = 1.1, emergency: float = 1.05, **seen: float
) -> MarketState:
    readings = make_readings(
        debt_asset=debt,
        limits=make_limits(min_health=least),
        emergency=make_emergency(health=emergency),
    )
    known = {"volatility": 0.6, "volatility_high": 0.9} | seen
    return replace(make_market(readings), outlook=Outlook(**known))  # type: ignore[arg-type]


@pytest.mark.parametrize(("least", "emergency"), [(1.1, 1.05), (1.05, 1.2)])
def test_the_limit_is_the_highest_at_which_anybody_acts(least: float, emergency: float) -> None:
    found = limit_wad(market_of(least=least, emergency=emergency))
    assert found / WAD == pytest.approx(max(least, emergency))


@pytest.mark.parametrize("high", [0.3, 0.9])
def test_a_fall_to_the_limit_within_the_horizon_is_as_improbable_as_stated(high: float) -> None:
    """2 Phi(-ln(h / L) / (s sqrt T)) = p, at the greater of the two volatilities."""
    found = waits_from_wad(market_of(volatility_high=high), POLICY)
    assert found is not None
    deviation = max(0.6, high) * sqrt(1 / 8_760)
    want = 1.1 * exp(deviation * NormalDist().inv_cdf(0.995))
    assert found / WAD == pytest.approx(want, rel=2e-6)


def test_nothing_waits_under_a_limit_without_a_price_or_without_a_forecast() -> None:
    assert waits_from_wad(market_of(), POLICY) is not None
    assert waits_from_wad(replace(market_of(), faults=("stale",)), POLICY) is None
    assert waits_from_wad(market_of(debt=2_300_000), POLICY) is None
    assert waits_from_wad(market_of(volatility=0.0, volatility_high=0.0), POLICY) is None
    assert waits_from_wad(market_of(), replace(POLICY, protective_slice_risk=0.0)) is None
    assert limit_wad(market_of()) == Wad(11 * WAD // 10)
