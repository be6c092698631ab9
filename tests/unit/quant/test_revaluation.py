"""The book under many moves in one pass: the prices of `black`, the lines by hand, NaN and bounds in their places."""

from typing import Any

import numpy as np
import pytest

from keeper.quant import black, revaluation
from keeper.quant.inputs import Floats
from keeper.quant.revaluation import Lines, Options, Shifts, revalue

MOST = 10.0


def made(options: int, lines: int, moves: int, *, skew: float = 0.0) -> tuple[Any, ...]:
    """Options and lines strewn over the columns, two underlyings, and moves that reach every clamp."""
    g = np.random.default_rng(options + moves)
    places = g.permutation(options + lines)
    figures = np.stack(
        (
            g.normal(size=options),
            2_000.0 * np.exp(g.normal(0.0, 0.5, options)),
            g.uniform(0.0, 1.0, options),
            g.uniform(0.0, 3.0, options),
            g.choice([-1.0, 1.0], options),
        )
    )
    held = Options(places[:options], g.integers(0, 2, options), figures)
    line = Lines(places[options:], g.integers(0, 2, lines), g.normal(size=(5, lines)))
    shifts = Shifts(
        g.uniform(-1.5, 6.0, moves),
        g.choice([0.0, 0.01, 0.6], moves),
        np.full(moves, skew),
        g.choice([0.0, 0.3], moves),
        g.normal(size=moves),
        g.normal(size=moves),
    )
    return held, line, g.uniform(500.0, 5_000.0, (moves, 2)), shifts


def expected(held: Options, spots: Floats, shifts: Shifts) -> Floats:
    quantity, strike, years, volatility, sign = held.figures
    price = spots[:, held.underlying]
    moved = volatility * (1.0 + shifts.volatility[:, None])
    moved = moved + shifts.skew[:, None] * np.log(strike / price)
    left = np.maximum(years - shifts.years[:, None], 0.0)
    worth = black.price(price, strike, left, np.clip(moved, 0.0, MOST), sign)
    found: Floats = quantity * worth * (1.0 - shifts.depeg[:, None])
    return found


@pytest.mark.parametrize(("options", "moves"), [(1, 1), (255, 3), (256, 2), (257, 31), (700, 5)])
def test_options_have_the_bits_of_prices_of_the_moved_inputs(options: int, moves: int) -> None:
    held, line, spots, shifts = made(options, 9, moves)
    found, wrong = revalue(held, line, spots, shifts, MOST)
    assert not wrong
    assert (found[:, held.place] == expected(held, spots, shifts)).all()


def test_skew_adds_to_volatility_by_the_logarithm_of_strike_over_price() -> None:
    """A logarithm of the ratio and the ratio of logarithms round differently: within 1e-14 of the price."""
    held, line, spots, shifts = made(400, 0, 20, skew=-0.3)
    found, _ = revalue(held, line, spots, shifts, MOST)
    exact = expected(held, spots, shifts)
    assert np.abs(found[:, held.place] - exact).max() < 1e-14 * spots.max()
    flat = revalue(held, line, spots, shifts._replace(skew=np.zeros(20)), MOST)[0]
    assert np.abs(found - flat).max() > 1.0


def test_lines_earn_over_the_time_that_passes_and_keep_their_columns() -> None:
    held, line, spots, shifts = made(5, 40, 12)
    found, _ = revalue(held, line, spots, shifts, MOST)
    quantity, entry, earned, loan, perpetual = line.figures
    a_year = earned + np.outer(shifts.rates, loan) - np.outer(shifts.funding, perpetual)
    price = spots[:, line.underlying] * (1.0 + shifts.years[:, None] * a_year)
    exact = quantity * (price - entry) * (1.0 - shifts.depeg[:, None])
    assert found[:, line.place] == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("row", range(5))
def test_nan_in_an_option_stays_in_its_column(row: int) -> None:
    held, line, spots, shifts = made(300, 4, 3)
    held.figures[row, 7] = np.nan
    found, wrong = revalue(held, line, spots, shifts, MOST)
    bad = np.isnan(found)
    assert bad[:, held.place[7]].all()
    assert bad.sum() == 3
    assert not wrong


@pytest.mark.parametrize("name", ["volatility", "years", "skew", "depeg"])
def test_nan_in_a_move_stays_in_its_row(name: str) -> None:
    held, line, spots, shifts = made(30, 0, 3)
    getattr(shifts, name)[1] = np.nan
    found, _ = revalue(held, line, spots, shifts, MOST)
    assert np.isnan(found[1]).all()
    assert np.isfinite(found[[0, 2]]).all()


@pytest.mark.parametrize(("row", "value"), [(1, -1.0), (1, 1e251), (2, 1_001.0), (4, 0.5)])
def test_what_black_would_refuse_is_told(row: int, value: float) -> None:
    held, line, spots, shifts = made(300, 4, 3)
    held.figures[row, 299] = value
    assert revalue(held, line, spots, shifts, MOST)[1]


def test_one_thread_values_the_book() -> None:
    """A tick must not wait for a core that someone else holds."""
    kernels: list[Any] = [revaluation._revalue_options, revaluation._revalue_lines]
    assert not any(kernel.targetoptions.get("parallel") for kernel in kernels)
