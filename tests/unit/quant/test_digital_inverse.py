"""Digital and inverse options where the references do not reach: limits, and numbers that would overflow."""

import math

import mpmath as mp  # type: ignore[import-untyped]
import numpy as np
import pytest

from keeper.errors import QuantityError
from keeper.quant import black, digital, inverse
from keeper.quant.black import Greeks

WITHOUT_RHO = [name for name in Greeks._fields if name != "rho"]


def cash(f: mp.mpf, k: mp.mpf, t: mp.mpf, v: mp.mpf, s: int) -> mp.mpf:
    z = s * (mp.log(f / k) / (v * mp.sqrt(t)) - v * mp.sqrt(t) / 2)
    return mp.erfc(-z / mp.sqrt(2)) / 2


def asset(f: mp.mpf, k: mp.mpf, t: mp.mpf, v: mp.mpf, s: int) -> mp.mpf:
    z = s * (mp.log(f / k) / (v * mp.sqrt(t)) + v * mp.sqrt(t) / 2)
    return f * mp.erfc(-z / mp.sqrt(2)) / 2


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("years", "volatility"), [(0.7, 0.0), (0.0, 0.5)])
@pytest.mark.parametrize("paid", ["cash", "asset"])
def test_at_the_money_without_deviation_the_greeks_are_their_limits(
    paid: str, years: float, volatility: float, sign: int
) -> None:
    """Against 50-digit derivatives at a deviation near 0: where those grow, the limit is infinite with their sign."""
    formula = cash if paid == "cash" else asset
    function = digital.cash_digital_greeks if paid == "cash" else digital.asset_digital_greeks
    orders = {"price": (), "delta": (0,), "gamma": (0, 0), "vega": (3,), "theta": (2,)}
    orders |= {"vanna": (0, 3), "volga": (3, 3)}

    def near(small: float) -> dict[str, float]:
        with mp.workdps(50):
            at = [mp.mpf(x) for x in (100, 100, years or small, volatility or small)]
            found = {}
            for name, order in orders.items():
                steps = tuple(sum(1 for j in order if j == i) for i in range(4))
                slope = mp.diff(lambda *x: formula(*x, sign), at, steps)  # type: ignore[call-arg]
                found[name] = float(-slope if name == "theta" else slope)
        return found

    limit = function(100.0, 100.0, years, volatility, sign)
    there, nearer = near(1e-10), near(1e-14)
    for name in WITHOUT_RHO:
        value = float(getattr(limit, name))
        if abs(nearer[name]) > 5 * abs(there[name]) and abs(nearer[name]) > 1.0:
            assert value == math.copysign(math.inf, nearer[name]), name
        else:
            assert value == pytest.approx(nearer[name], rel=1e-6, abs=1e-5), name


@pytest.mark.parametrize("sign", [1, -1])
def test_at_the_money_at_expiry_an_inverse_option_decays_without_bound(sign: int) -> None:
    """As its own theta grows on the way there: the time value is lost, never won."""
    left = [1e-4, 1e-8, 1e-12]
    near = inverse.inverse_greeks(100.0, 100.0, left, 0.5, sign)
    assert np.all(np.diff(near.theta) < 0)
    assert np.all(np.diff(near.gamma) > 0)
    limit = inverse.inverse_greeks(100.0, 100.0, 0.0, 0.5, sign)
    assert (float(limit.theta), float(limit.gamma)) == (-math.inf, math.inf)
    assert float(inverse.inverse_greeks(100.0, 100.0, 0.0, 0.0, sign).theta) == 0.0


@pytest.mark.parametrize(
    "function", [digital.cash_digital_greeks, digital.asset_digital_greeks, black.greeks]
)
def test_corners_give_no_nan(function: object) -> None:
    prices = [0.0, 1e-250, 1e-12, 1.0, 1e250]
    grid = np.meshgrid(
        prices, prices, [0.0, 1e-300, 1e-9, 1e3], [0.0, 1e-300, 1e-9, 1e3], [1, -1], [0.0, 0.05]
    )
    everything = np.stack(function(*(axis.ravel() for axis in grid)))  # type: ignore[operator]
    assert not np.isnan(everything).any()


def test_an_inverse_option_that_would_pay_coins_without_number_is_refused() -> None:
    with pytest.raises(QuantityError) as refused:
        inverse.inverse_greeks([1.0, 1e-200], [1.0, 1e200], 1.0, 0.5, 1)
    assert (refused.value.field, refused.value.index) == ("strike", 1)
    grid = np.meshgrid([1e-250, 1e-100, 1.0, 1e250], [0.0, 1e-250, 1e-1, 1.0], [0.0, 1.0], [0.0, 5])
    forward, strike, years, volatility = (axis.ravel() for axis in grid)
    everything = np.stack(inverse.inverse_greeks(forward, strike, years, volatility, -1))
    assert not np.isnan(everything).any()
