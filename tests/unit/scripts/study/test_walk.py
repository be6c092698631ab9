"""Parameters are chosen on years before the one reported, and on nothing else."""

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from scripts.study.walk import DEFAULT, choose, sharpe

Floats = npt.NDArray[np.float64]
YEARS = (2018, 2019, 2020, 2021)


def random_years(seed: int, candidates: int = 4) -> dict[int, list[Floats]]:
    draw = np.random.default_rng(seed)
    return {year: [draw.normal(0, 0.01, 50) for _ in range(candidates)] for year in YEARS}


@given(st.integers(0, 2**32), st.integers(0, 2**32), st.sampled_from(YEARS))
def test_a_choice_never_sees_the_reported_year_or_a_later_one(
    seed: int, other: int, year: int
) -> None:
    daily, shuffled = random_years(seed), random_years(other)
    changed = {y: daily[y] if y < year else shuffled[y] for y in YEARS}
    assert choose(daily, year) == choose(changed, year)


@given(st.integers(0, 2**32), st.integers(0, 3))
def test_the_best_of_the_years_before_is_chosen(seed: int, best: int) -> None:
    daily = random_years(seed)
    for year in YEARS[:2]:
        daily[year][best] = daily[year][best] + 0.05
    assert choose(daily, 2020) == best


def test_without_a_year_before_the_defaults_are_taken() -> None:
    assert choose(random_years(1), 2018) == DEFAULT


def test_equal_candidates_leave_the_defaults() -> None:
    same = np.full(10, 0.01) + np.arange(10) * 0.001
    assert choose({2018: [same, same, same]}, 2019) == DEFAULT


def test_a_strategy_that_never_moved_is_judged_as_nothing_and_not_as_best() -> None:
    flat, good, bad = np.zeros(50), np.tile([0.02, -0.01], 25), np.tile([-0.02, 0.01], 25)
    assert sharpe(flat) == 0.0
    assert choose({2018: [flat, good, bad]}, 2019) == 1
    assert choose({2018: [bad, flat]}, 2019) == 1
