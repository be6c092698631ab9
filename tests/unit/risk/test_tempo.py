"""The wait, and the health that makes it safe."""

from dataclasses import replace

import pytest

from keeper.model.exposure import RiskPolicy, Tempo
from keeper.model.units import Wei
from keeper.risk.passage import hit_probability, log_distance
from keeper.risk.tempo import SECONDS_A_YEAR, congestion_of, health_target, wait_of
from tests.builders import NOW, make_readings


def test_the_wait_is_what_the_formula_says() -> None:
    readings = make_readings(base_fee_gwei=60, keeper_balance_eth=10)
    tempo = Tempo(12.0, 2.0, 20 * 10**9, 30.0)
    wait = wait_of(readings, tempo)
    assert wait.congestion == 3.0
    assert wait.price_age_s == NOW - readings.price.base.updated_at
    assert wait.seconds == wait.price_age_s + 30.0 + 12.0 * (1 + 2 * 3)


def test_a_calm_or_free_market_is_no_faster_than_calm() -> None:
    assert congestion_of(0, Tempo()) == 1.0
    assert congestion_of(10**18, Tempo()) == 50.0
    assert congestion_of(5, Tempo(calm_base_fee_wei=0)) == 5.0


def test_a_keeper_that_cannot_pay_waits_for_others() -> None:
    readings = make_readings(base_fee_gwei=20)
    poor = replace(readings, keeper_balance_wei=Wei(10**15))
    rich, alone = wait_of(readings, Tempo()), wait_of(poor, Tempo())
    assert rich.keeper_can_pay
    assert not alone.keeper_can_pay
    assert alone.seconds - rich.seconds == 3_600 - 60


def test_the_target_covers_the_wait_with_the_tolerance_it_names() -> None:
    """From the target a fall that leaves the jump still to come reaches the floor about once in 1/tolerance."""
    policy = RiskPolicy(liquidation_tolerance=1e-3, jump=0.05)
    target = health_target(1.05, 0.9, 3_600.0, policy)
    distance = log_distance(target.target * (1 - policy.jump), 1.05)
    p = hit_probability(distance, 0.9, 3_600.0 / SECONDS_A_YEAR, rising=False)
    assert p == pytest.approx(1e-3, rel=0.05)


def test_the_highest_target_bounds_it_and_says_so() -> None:
    target = health_target(1.05, 5.0, 1e7, RiskPolicy())
    assert target.target == pytest.approx(3.0, rel=1e-15)
    assert target.low == pytest.approx((1.05 * 3.0) ** 0.5)  # the band keeps its width
    assert target.high == pytest.approx(1.05 * (3.0 / 1.05) ** 1.5)
    assert target.bounded
    assert not health_target(1.05, 0.5, 100.0, RiskPolicy()).bounded


def test_a_mandate_above_the_highest_target_is_still_kept() -> None:
    assert health_target(4.0, 0.5, 100.0, RiskPolicy()).low == 4.0


def test_protection_costs_up_to_twice_the_base_fee() -> None:
    """What its first fee cap may take: 2 x 20 gwei x 1,500,000 gas = 0.06 ether."""
    readings = make_readings(base_fee_gwei=20)
    for wei, pays in ((6 * 10**16, True), (6 * 10**16 - 1, False)):
        found = wait_of(replace(readings, keeper_balance_wei=Wei(wei)), Tempo())
        assert found.keeper_can_pay is pays
