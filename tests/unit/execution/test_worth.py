"""What lateness costs: rises with debt and danger, and is the ceiling of protective fees (K-06)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.execution.fees import Ask, Fees, GasPolicy, most, opening
from keeper.execution.worth import (
    WorthPolicy,
    liquidation_probability,
    needed_by,
    stake_of,
    value_at_risk_wei,
)
from keeper.model.decision import Lane
from keeper.model.risk import RiskReport
from keeper.model.units import WAD, Bps, Raw, Wad
from keeper.risk import assess
from tests.builders import make_market, make_readings

GWEI = 10**9
DEEP = 10**30
POLICY = WorthPolicy()
READINGS = make_readings()
RISK = assess(make_market(READINGS))


def falls(fall: float, health: float = 1.2) -> RiskReport:
    return replace(RISK, fall_to_liquidation=fall, health_wad=Wad(int(health * WAD)))


def test_the_value_is_the_penalty_times_the_probability_at_the_price_of_the_coin_that_pays_gas() -> (
    None
):
    """Two million of debt, a penalty of 5 %, certain: 100,000 dollars, or 50 ether at 2,000."""
    doomed = replace(falls(0.0, 0.99), debt=Raw(2_000_000 * 10**6))
    bonus = Bps(10_500)
    readings = replace(
        READINGS,
        base_position=replace(READINGS.base_position, liquidation_bonus_bps=bonus),
        asset_position=replace(READINGS.asset_position, liquidation_bonus_bps=bonus),
    )
    assert value_at_risk_wei(doomed, readings, POLICY) == 50 * 10**18
    at_a_thousand = replace(POLICY, native_price_wad=1_000 * WAD)
    assert value_at_risk_wei(doomed, readings, at_a_thousand) == 100 * 10**18


@given(st.floats(0.001, 0.9), st.floats(0.001, 0.9))
def test_nearer_danger_is_worth_more_and_leaves_less_time(one: float, other: float) -> None:
    near, far = sorted((one, other))
    assert value_at_risk_wei(falls(near), READINGS, POLICY) >= value_at_risk_wei(
        falls(far), READINGS, POLICY
    )
    assert needed_by(falls(near), 0, POLICY) <= needed_by(falls(far), 0, POLICY)


@pytest.mark.parametrize(
    ("risk", "expected"),
    [
        (falls(0.1, 0.99), 1.0),  # the venue may liquidate already
        (replace(RISK, has_position=False), 0.0),
        (replace(RISK, fall_to_liquidation=None, rise_to_liquidation=None), 0.0),
        (falls(0.0), 1.0),
    ],
)
def test_certain_cases(risk: RiskReport, expected: float) -> None:
    assert liquidation_probability(risk, 3_600, 1.0) == expected


def test_the_probability_is_that_of_a_touch() -> None:
    """Log distance of one deviation: 2 N(-1)."""
    fall = 1 - 2.718281828459045**-0.5
    assert liquidation_probability(falls(fall), 365 * 86_400, 0.5) == pytest.approx(0.3173, 1e-3)


def test_without_a_usable_price_nothing_is_known() -> None:
    readings = replace(READINGS, price=replace(READINGS.price, price_wad=Wad(0)))
    assert stake_of(falls(0.1), readings, POLICY).value_at_risk_wei == 0


@given(
    base=st.integers(1, 20_000), worth=st.integers(1, 10**21), gas=st.integers(50_000, 3_000_000)
)
def test_protection_climbs_to_what_it_is_worth_and_always_opens_at_twice_the_base_fee(
    base: int, worth: int, gas: int
) -> None:
    """K-06: no plain cap delays it, and no frenzy costs more than the loss it prevents."""
    policy, wei = GasPolicy(), base * GWEI
    ask = Ask(Lane.PROTECTIVE, gas, worth)
    bound = most(wei, ask, DEEP, policy)
    usual = 2 * wei + policy.protective_tip_wei
    clears = -(-wei * 9 // 8) + policy.protective_tip_wei
    assert bound.cap_wei == max(worth // gas, usual, clears) or not ask.worth_wei
    first = opening(wei, ask, DEEP, policy)
    assert first is not None
    assert first.cap_wei == usual
    if ask.worth_wei:
        assert first.cap_wei <= bound.cap_wei


def test_a_base_fee_a_hundred_times_higher_does_not_delay_what_is_worth_it() -> None:
    """A plain gas-price cap delayed protection; a routine transaction waits at the same fee."""
    spike = 100 * 20 * GWEI
    ask = Ask(Lane.PROTECTIVE, 1_000_000, 50 * 10**18)
    assert opening(spike, ask, DEEP, GasPolicy()) == Fees(2 * spike + 3 * GWEI, 3 * GWEI)
    assert opening(spike, Ask(Lane.ROUTINE, 1_000_000), DEEP, GasPolicy()) is None


def test_urgency_raises_the_tip_within_the_bound() -> None:
    ask = Ask(Lane.PROTECTIVE, 1_000_000, 10**18, tip_wei=200 * GWEI)
    fees = opening(20 * GWEI, ask, DEEP, GasPolicy())
    assert fees is not None
    assert fees.tip_wei == 200 * GWEI
    modest = opening(20 * GWEI, replace(ask, value_at_risk_wei=10**17), DEEP, GasPolicy())
    assert modest is not None
    assert modest.cap_wei <= 225 * GWEI  # what clears with the tip that is asked for


def test_a_transaction_of_a_cheap_hour_has_an_absolute_floor() -> None:
    """One priced at next to nothing blocked 17 well-priced ones behind it."""
    fees = opening(1, Ask(Lane.ROUTINE, 100_000), DEEP, GasPolicy(routine_tip_wei=0))
    assert fees == Fees(GWEI, 0)
