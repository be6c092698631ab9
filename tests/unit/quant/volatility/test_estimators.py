"""Estimators find the volatility that bars were made of, and each keeps its promise about drift and gaps."""

from collections.abc import Callable

import numpy as np
import pytest

from keeper.errors import QuantityError
from keeper.quant.volatility import close_to_close, garman_klass, parkinson, yang_zhang
from tests.unit.quant.volatility.series import bars

DAYS = 365
TRUE = 0.02 * np.sqrt(DAYS)


def estimates(**market: float) -> dict[str, float]:
    o, h, low, c = bars(4_000, 400, 0.02, **market)  # type: ignore[arg-type]
    return {
        "close": float(close_to_close(c, DAYS)),
        "close, drift": float(close_to_close(c, DAYS, drift=True)),
        "parkinson": float(parkinson(h, low, DAYS)),
        "garman_klass": float(garman_klass(o, h, low, c, DAYS)),
        "yang_zhang": float(yang_zhang(o, h, low, c, DAYS)),
    }


def test_all_find_the_volatility_of_a_driftless_walk() -> None:
    """Ranges of 400 steps miss a little of the extremes."""
    for name, found in estimates().items():
        assert found == pytest.approx(TRUE, rel=0.05), name


def test_only_those_that_promise_it_ignore_a_drift() -> None:
    found = estimates(drift=0.02)
    assert found["close, drift"] == pytest.approx(TRUE, rel=0.03)
    assert found["yang_zhang"] == pytest.approx(TRUE, rel=0.05)
    assert found["close"] > 1.3 * TRUE
    assert found["parkinson"] > 1.1 * TRUE


def test_only_those_that_promise_it_see_what_happens_between_bars() -> None:
    found = estimates(gap=0.015)
    whole = np.hypot(0.02, 0.015) * np.sqrt(DAYS)
    assert found["close"] == pytest.approx(whole, rel=0.03)
    assert found["yang_zhang"] == pytest.approx(whole, rel=0.05)
    assert found["garman_klass"] == pytest.approx(TRUE, rel=0.05)


def test_ranges_say_more_than_closes() -> None:
    """Over windows of 20 bars the range estimators scatter less: by a factor of two or more in the standard
    deviation."""
    o, h, low, c = (np.reshape(x, (200, 20)) for x in bars(4_000, 400, 0.02))
    scatter = {
        "close": np.std(close_to_close(c, DAYS)),
        "parkinson": np.std(parkinson(h, low, DAYS)),
        "garman_klass": np.std(garman_klass(o, h, low, c, DAYS)),
    }
    assert scatter["garman_klass"] < scatter["parkinson"] < scatter["close"] / 1.7


def test_values_by_hand() -> None:
    close = [100.0, 110.0, 99.0]
    squares = np.log(1.1) ** 2 + np.log(0.9) ** 2
    assert float(close_to_close(close, 1)) == pytest.approx(np.sqrt(squares / 2))
    one = float(parkinson([np.e], [1.0], 1))
    assert one == pytest.approx(1 / np.sqrt(4 * np.log(2)))
    two = float(garman_klass([1.0], [np.e], [1.0], [np.e], 1))
    assert two == pytest.approx(np.sqrt(0.5 - (2 * np.log(2) - 1)))


def test_yang_zhang_by_hand() -> None:
    """Two bars after the first, in logarithms: gaps 0.1 and 0.3, bodies 0.2 and 0.4, no wicks beyond open and
    close."""
    o, c = np.array([0.0, 0.1, 0.6]), np.array([0.0, 0.3, 1.0])
    k = 0.34 / (1.34 + 3)
    expected = np.sqrt(
        0.02 + k * 0.02
    )  # Rogers and Satchell see nothing where the close is the high
    assert float(yang_zhang(np.exp(o), np.exp(c), np.exp(o), np.exp(c), 1)) == pytest.approx(
        expected
    )


def test_yang_zhang_with_wicks_by_hand() -> None:
    """Rogers and Satchell's part alone: no gaps, equal bodies of 0.1, wicks of 0.2 above and 0.3 below."""
    o = np.array([0.0, 0.1, 0.2, 0.3])
    h, low, c = o + 0.3, o - 0.3, o + 0.1
    k = 0.34 / (1.34 + 4 / 2)
    expected = np.sqrt((1 - k) * (0.3 * 0.2 + 0.3 * 0.4))
    found = yang_zhang(np.exp(o), np.exp(h), np.exp(low), np.exp(c), 1)
    assert float(found) == pytest.approx(expected, rel=1e-12)


def test_taking_the_mean_away_costs_a_degree_of_freedom() -> None:
    """Returns of 1 and 3: squares around 2 are 2 in all, over 2 - 1."""
    found = close_to_close(np.exp([0.0, 1.0, 4.0]), 1, drift=True)
    assert float(found) == pytest.approx(np.sqrt(2.0), rel=1e-12)


def test_windows_are_the_leading_axes() -> None:
    o, h, low, c = (np.reshape(x, (4, 5, 10)) for x in bars(200, 10, 0.02))
    assert yang_zhang(o, h, low, c, DAYS).shape == (4, 5)
    alone = yang_zhang(o[2, 3], h[2, 3], low[2, 3], c[2, 3], DAYS)
    assert yang_zhang(o, h, low, c, DAYS)[2, 3] == pytest.approx(float(alone), rel=1e-14)


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: close_to_close([1.0], 365), "close"),
        (lambda: close_to_close([1.0, -1.0], 365), "close"),
        (lambda: close_to_close([1.0, np.nan], 365), "close"),
        (lambda: close_to_close([1.0, 2.0], 0), "periods_per_year"),
        (lambda: close_to_close(5.0, 365), "close"),
        (lambda: parkinson([1.0, 2.0], [1.0], 365), "low"),
        (lambda: parkinson([1.0], [2.0], 365), "high"),
        (lambda: garman_klass([3.0], [2.0], [1.0], [1.5], 365), "high"),
        (lambda: garman_klass([1.5], [2.0], [1.0], [0.5], 365), "close"),
        (lambda: yang_zhang([1.0] * 2, [1.0] * 2, [1.0] * 2, [1.0] * 2, 365), "open"),
    ],
)
def test_refuses_what_is_no_bar(call: Callable[[], object], field: str) -> None:
    with pytest.raises(QuantityError) as caught:
        call()
    assert caught.value.field == field
