"""The filter of ranges: by its definition, never ahead of its time, and quicker than an average of squares."""

import numpy as np
import pytest
from numpy.typing import NDArray

from keeper.errors import QuantityError
from keeper.quant import tails
from keeper.quant.tails.ranges import filter_ranges

Floats = NDArray[np.float64]
SMALL = {"lags": (1, 5), "window": 300, "refit_every": 20, "least": 120}


def market(count: int, seed: int = 2) -> tuple[Floats, Floats, Floats]:
    """Losses, log ranges and true volatility of bars of 200 steps; ln volatility wanders and falls back."""
    generator = np.random.default_rng(seed)
    shocks, level = 0.25 * generator.standard_normal(count), np.zeros(count)
    for i in range(1, count):
        level[i] = 0.93 * level[i - 1] + shocks[i]
    volatility = 0.01 * np.exp(level)
    paths = np.cumsum(generator.standard_normal((count, 200)), axis=1) / np.sqrt(200)
    paths = volatility[:, None] * np.hstack([np.zeros((count, 1)), paths])
    return -paths[:, -1], np.ptp(paths, axis=1), volatility


def test_is_the_regression_written_out() -> None:
    losses, ranges, _ = market(150)
    ahead = filter_ranges(losses, ranges, **SMALL)  # type: ignore[arg-type]
    assert (ahead.start, ahead.volatility.size) == (120, 31)
    variance = ranges**2 / (4 * np.log(2))
    usual = [float(np.std(losses[:5])) ** 2]
    for loss in losses:
        usual.append(0.97 * usual[-1] + 0.03 * loss**2)

    def row(at: int) -> list[float]:
        bad = max(losses[at - 1], 0.0) / np.sqrt(usual[at - 1])
        means = (np.log(variance[at - 1]), np.log(variance[at - 5 : at].mean()))
        return [1.0, *means, np.log(1 + bad)]

    for fitted, at in ((120, 120), (120, 139), (140, 140), (140, 150)):
        matrix = np.array([row(i) for i in range(5, fitted)])
        weights = np.linalg.lstsq(matrix, np.log(variance[5:fitted]), rcond=None)[0]
        expected = np.exp(0.5 * np.dot(row(at), weights))
        assert ahead.volatility[at - 120] == pytest.approx(expected, rel=1e-9)


def test_only_the_window_is_fitted_to() -> None:
    losses, ranges, _ = market(700)
    other = ranges.copy()
    other[:340] *= np.linspace(1, 3, 340)
    one, two = (
        filter_ranges(losses, r, **SMALL).volatility[-20:]  # type: ignore[arg-type]
        for r in (ranges, other)
    )
    assert one == pytest.approx(two, rel=1e-9)


def test_never_looks_ahead() -> None:
    losses, ranges, _ = market(600)
    later_losses, later_ranges = losses.copy(), ranges.copy()
    later_losses[400:] *= -5
    later_ranges[400:] *= 7
    one = filter_ranges(losses, ranges, **SMALL)  # type: ignore[arg-type]
    two = filter_ranges(later_losses, later_ranges, **SMALL)  # type: ignore[arg-type]
    assert np.array_equal(one.volatility[:281], two.volatility[:281])  # of losses[120 .. 400]
    assert not np.array_equal(one.volatility[281:], two.volatility[281:])


def test_forecasts_a_wandering_volatility_better_than_squares_do() -> None:
    losses, ranges, volatility = market(6_000)
    ahead = filter_ranges(losses, ranges)
    truth = np.log(volatility[ahead.start :])
    by_ranges = np.std(np.log(ahead.volatility[:-1]) - truth)
    squares = tails.filter_volatility(losses, tails.Filter(0, 0.06, 0.94), 0.01)
    by_squares = np.std(np.log(squares[ahead.start : -1]) - truth)
    assert by_ranges < 0.75 * by_squares


def test_a_bar_that_stands_still_is_the_quietest_one() -> None:
    losses, ranges, _ = market(300)
    still = ranges.copy()
    still[[50, 250]] = 0.0
    least = ranges.copy()
    least[[50, 250]] = still[still > 0].min()
    one, two = (
        filter_ranges(losses, r, **SMALL).volatility  # type: ignore[arg-type]
        for r in (still, least)
    )
    assert np.isfinite(one).all()
    assert np.array_equal(one, two)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("losses", {"losses": np.ones(100)}),
        ("ranges", {"ranges": np.ones(5)}),
        ("ranges", {"ranges": -np.ones(300)}),
        ("ranges", {"ranges": np.zeros(300)}),
        ("ranges", {"losses": np.zeros(300)}),
        ("lags", {"lags": (0, 5)}),
        ("window", {"window": 30}),
        ("window", {"least": 30}),
        ("refit_every", {"refit_every": 0}),
    ],
)
def test_what_cannot_be_fitted_is_named(field: str, change: dict[str, object]) -> None:
    losses, ranges, _ = market(300)
    good = {"losses": losses, "ranges": ranges, **SMALL}
    with pytest.raises(QuantityError) as caught:
        filter_ranges(**{**good, **change})  # type: ignore[arg-type]
    assert caught.value.field == field
