"""What --vary means: lists, ranges, grids and draws."""

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.errors import SettingError
from keeper.sweep.points import Vary, check_names, grid, sample


def test_a_list_keeps_its_words() -> None:
    assert Vary.parsed("venue = perp, ,x".replace(" ,", "")).values == ("perp", "x")
    assert Vary.parsed("low=1.20,1.3").values == ("1.20", "1.3")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("x=1:3:3", ("1", "2", "3")),
        ("x=0.1:0.3:3", ("0.1", "0.2", "0.3")),
        ("x=1:100:3:log", ("1", "10", "100")),
        ("world.pool.depth=1000000000000:100000000000000:2", (str(10**12), str(10**14))),
    ],
)
def test_a_range_is_evenly_spaced_and_has_its_ends(text: str, values: tuple[str, ...]) -> None:
    assert Vary.parsed(text).values == values


@given(st.floats(1e-3, 1e3), st.floats(1.1, 1e3), st.integers(2, 30), st.booleans())
def test_steps_of_a_range_rise_between_its_ends(
    low: float, factor: float, count: int, log: bool
) -> None:
    text = f"x={low!r}:{low * factor!r}:{count}" + ":log" * log
    steps = [float(value) for value in Vary.parsed(text).values]
    assert steps == sorted(set(steps))
    assert len(steps) == count
    apart = [b / a if log else b - a for a, b in pairwise(steps)]
    assert max(apart) == pytest.approx(min(apart), rel=1e-6)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("low", "is no NAME=a,b,c"),
        ("low=", "is no NAME=a,b,c"),
        ("=1,2", "is no NAME=a,b,c"),
        ("low=1,1", "a value twice"),
        ("low=1,,2", "a value twice or an empty"),
        ("low=a:b:3", "is no low:high:n"),
        ("low=2:1:3", "low < high"),
        ("low=1:2:3:4", "low < high"),
        ("low=0:1:3:log", "no logarithm"),
        ("low=1:2:1", "has 1 values"),
        ("low=nan:2:3", "low < high"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        Vary.parsed(text)


def test_a_grid_has_every_combination_once() -> None:
    varied = [Vary.parsed("a=1,2"), Vary.parsed("b=x,y,z")]
    points = grid(varied)
    assert len(set(points)) == 6
    assert points[1] == (("a", "1"), ("b", "y"))


def test_a_grid_needs_numbers_of_values_and_an_end() -> None:
    with pytest.raises(SettingError, match="no number of values"):
        grid([Vary.parsed("a=1:2")])
    with pytest.raises(SettingError, match="are more than"):
        grid([Vary.parsed(f"{name}=0:1:100") for name in "abc"])
    with pytest.raises(SettingError, match="varied twice"):
        check_names([Vary.parsed("a=1,2"), Vary.parsed("a=3,4")])


@given(st.integers(0, 10**9))
def test_draws_are_of_the_seed_and_inside_their_range(seed: int) -> None:
    varied = [Vary.parsed("a=0.5:2"), Vary.parsed("b=1:1000:log"), Vary.parsed("c=x,y")]
    points = sample(varied, 20, seed)
    assert points == sample(varied, 20, seed)
    for point in points:
        drawn = dict(point)
        assert 0.5 <= float(drawn["a"]) <= 2
        assert 1 <= int(drawn["b"]) <= 1_000
        assert drawn["c"] in ("x", "y")


def test_logarithmic_draws_are_even_in_the_logarithm() -> None:
    one, draw = Vary.parsed("a=0.01:100:log"), random.Random(5)
    logs = [math.log10(float(one.drawn(draw))) for _ in range(2_000)]
    assert sum(value < 0 for value in logs) / len(logs) == pytest.approx(0.5, abs=0.05)
