"""Chances of inclusion: promised no more than simulated gas markets keep."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.execution.inclusion import (
    InclusionModel,
    UrgencyPolicy,
    blocks_left,
    latest_start,
    urgent_tip,
)

GWEI = 10**9
TIPS = st.lists(st.integers(0, 50), min_size=1, max_size=60)


def market(rng: random.Random, blocks: int, persistence: float, spread: float) -> list[int]:
    """Tips that would have been enough: congestion as an autoregression of the log tip, in wei."""
    level, tips = 0.0, []
    for _ in range(blocks):
        level = persistence * level + spread * (1 - persistence**2) ** 0.5 * rng.gauss(0, 1)
        tips.append(int(GWEI * 2.718281828**level))
    return tips


@pytest.mark.parametrize("persistence", [0.0, 0.5, 0.8])
@pytest.mark.parametrize("blocks", [1, 2, 5])
@pytest.mark.parametrize("probability", [0.8, 0.95])
def test_promised_probabilities_are_kept_in_simulated_markets(
    persistence: float, blocks: int, probability: float
) -> None:
    """Calibration: of those that were promised, no fewer are in by their deadline than asked for, up to
    sampling error."""
    rng = random.Random(f"{persistence} {blocks} {probability}")
    trials = 400
    promised = kept = 0
    for _ in range(trials):
        tips = market(rng, 200 + blocks, persistence, spread=1.0)[-60 - blocks :]
        model = InclusionModel(tips[:60])
        tip = model.tip_for(blocks, probability)
        if model.odds(tip).within(blocks) < probability:
            continue
        promised += 1
        kept += any(required <= tip for required in tips[60:])
    error = 3 * (probability * (1 - probability) / promised) ** 0.5
    assert promised > trials / 2
    assert kept / promised >= probability - error


def test_a_calm_market_is_not_overpaid() -> None:
    rng = random.Random(7)
    tips = market(rng, 60, persistence=0.0, spread=0.1)
    assert InclusionModel(tips).tip_for(3, 0.95) <= max(tips)


@given(TIPS, st.integers(0, 60), st.integers(1, 20))
def test_more_time_never_lowers_the_chance(tips: list[int], tip: int, blocks: int) -> None:
    odds = InclusionModel(tips).odds(tip)
    assert 0.0 <= odds.within(blocks) <= odds.within(blocks + 1) < 1.0


@given(TIPS, st.floats(0.5, 0.999), st.integers(1, 20))
def test_the_urgency_curve_rises_towards_the_deadline(
    tips: list[int], probability: float, left: int
) -> None:
    model, policy = InclusionModel(tips), UrgencyPolicy(probability, 12.0)
    far = urgent_tip(model, 0.0, 12.0 * (left + 1), policy)
    near = urgent_tip(model, 12.0, 12.0 * (left + 1), policy)
    assert near >= far


@given(TIPS, st.integers(0, 60), st.floats(0.5, 0.999))
def test_what_starts_at_the_latest_start_is_in_by_its_deadline_as_surely_as_asked(
    tips: list[int], tip: int, probability: float
) -> None:
    model, policy = InclusionModel(tips), UrgencyPolicy(probability, 12.0)
    start = latest_start(model, tip, 1_000_000.0, policy)
    left = blocks_left(start, 1_000_000.0, policy)
    sure = model.odds(tip).within(left) >= probability
    assert sure or left >= 9_999  # or nobody can promise it


def test_nothing_known_promises_little() -> None:
    assert InclusionModel(()).odds(10**12).within(1) == 0.5
    assert InclusionModel(()).tip_for(1, 0.9) == 0


def test_a_miss_makes_the_next_miss_likelier_when_congestion_comes_in_bouts() -> None:
    bouts = InclusionModel(([1] * 10 + [9] * 10) * 3)
    assert bouts.odds(1).after_a_miss < 0.2
    assert bouts.odds(1).next_block == bouts.odds(1).after_a_miss  # it is in a bout now
    mixed = InclusionModel([1, 9] * 30)
    assert mixed.odds(1).after_a_miss > 0.8


def test_past_the_deadline_the_next_block_is_what_is_left() -> None:
    assert blocks_left(100.0, 50.0, UrgencyPolicy()) == 1


@given(TIPS, st.floats(0.5, 0.999), st.integers(1, 20))
def test_the_urgent_tip_is_the_least_whose_latest_start_is_not_past(
    tips: list[int], probability: float, left: int
) -> None:
    model, policy = InclusionModel(tips), UrgencyPolicy(probability, 12.0)
    needed_by = 12.0 * left
    starts = {tip: latest_start(model, tip, needed_by, policy) for tip in sorted(set(tips))}
    soon_enough = [tip for tip, start in starts.items() if start >= 0.0]
    least = soon_enough[0] if soon_enough else -(-max(tips) * 9 // 8)
    assert urgent_tip(model, 0.0, needed_by, policy) == least


@given(TIPS, st.integers(0, 60), st.floats(0.5, 0.9999), st.integers(2, 60))
def test_the_blocks_for_a_tip_are_the_fewest(
    tips: list[int], tip: int, probability: float, most: int
) -> None:
    model = InclusionModel(tips)
    odds, blocks = model.odds(tip), model.blocks_for(tip, probability, most)
    assert 1 <= blocks <= most
    assert blocks == most or odds.within(blocks) >= probability
    assert odds.within(blocks - 1) < probability


def test_a_tip_that_never_missed_is_in_within_a_few_blocks_as_surely_as_is_usual() -> None:
    """Nothing is known of what follows its first miss; that is no reason to call it hopeless."""
    calm = InclusionModel([1] * 60)
    assert [calm.blocks_for(1, p) for p in (0.9, 0.95, 0.99, 0.999)] == [1, 1, 4, 10]
