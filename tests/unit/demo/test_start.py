"""Start health and band follow their stated rules, and nothing else."""

from itertools import pairwise

import pytest

from keeper.demo.start import (
    DEFAULT_HEALTH,
    LEAST_HEALTH,
    MOST_HEALTH,
    band_for,
    given_health,
    health_for,
)


def test_liquidation_lies_sixty_per_cent_of_the_way_to_the_lowest_price() -> None:
    start = health_for([100.0, 120.0, 70.0, 90.0])
    liquidation_price = 100.0 / start.health
    assert liquidation_price == pytest.approx(100 - 0.6 * 30, rel=1e-4)


def test_an_untouched_position_would_be_liquidated_by_the_path_it_was_chosen_for() -> None:
    for lowest in (95.0, 80.0, 60.0, 45.0):
        start = health_for([100.0, lowest])
        assert start.health * lowest / 100 < 1


@pytest.mark.parametrize(("lowest", "health"), [(97.0, LEAST_HEALTH), (1.0, MOST_HEALTH)])
def test_stays_within_what_the_venue_allows(lowest: float, health: float) -> None:
    start = health_for([100.0, lowest])
    assert start.health == health
    assert "kept within" in start.reason


def test_a_path_without_a_fall_gets_the_default_and_says_why() -> None:
    start = health_for([100.0, 101.0, 99.5])
    assert start.health == DEFAULT_HEALTH
    assert "never falls more than 0.5 %" in start.reason


def test_says_what_fall_liquidates() -> None:
    assert "a fall of 20.0 % liquidates" in given_health(1.25).reason


@pytest.mark.parametrize("health", [1.04, 1.05, 1.2, 1.5, 1.8])
def test_band_is_ordered_around_the_start(health: float) -> None:
    band = band_for(health)
    levels = (1.0, band.minimum, band.low, band.target, band.high)
    assert all(a < b for a, b in pairwise(levels))
    assert band.target == pytest.approx(health)


def test_band_scales_the_distance_to_liquidation() -> None:
    band = band_for(1.5)
    assert (band.minimum, band.low, band.target, band.high) == pytest.approx((1.25, 1.4, 1.5, 1.8))
