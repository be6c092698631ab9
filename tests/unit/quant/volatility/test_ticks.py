"""The realised kernel sees through the noise of bid and ask."""

import numpy as np
import pytest

from keeper.errors import QuantityError
from keeper.quant.volatility import optimal_bandwidth, realised_kernel
from tests.unit.quant.volatility.series import Floats, generator

VARIANCE = 0.03**2
TICKS = 20_000


def ticks(noise: float, seed: int) -> Floats:
    rng = generator(seed)
    path = np.sqrt(VARIANCE / TICKS) * rng.standard_normal(TICKS).cumsum()
    return np.asarray(2_000 * np.exp(path + noise * rng.standard_normal(TICKS)))


def test_finds_the_variance_where_squares_see_only_noise() -> None:
    """Noise of 2 bps a tick makes the sum of squares nearly three times the variance."""
    found, naive = [], []
    for seed in range(12):
        prices = ticks(2e-4, seed)
        found.append(realised_kernel(prices))
        naive.append(float(np.sum(np.diff(np.log(prices)) ** 2)))
    assert np.mean(naive) > 2.5 * VARIANCE
    assert np.mean(found) == pytest.approx(VARIANCE, rel=0.1)
    assert np.std(found) < 0.25 * VARIANCE


def test_without_noise_it_agrees_with_the_sum_of_squares() -> None:
    prices = ticks(0.0, 5)
    assert realised_kernel(prices) == pytest.approx(
        float(np.sum(np.diff(np.log(prices)) ** 2)), rel=0.15
    )


def test_more_noise_takes_a_wider_bandwidth() -> None:
    widths = [optimal_bandwidth(ticks(noise, 3)) for noise in (0.0, 1e-4, 4e-4)]
    assert widths == sorted(widths)
    assert widths[0] < widths[-1]


def test_is_the_weighted_sum_of_autocovariances() -> None:
    """Against the definition, term by term."""
    prices = ticks(1e-4, 8)[:40]
    p = np.log(prices)
    x = np.diff(np.concatenate(([p[:2].mean()], p[2:-2], [p[-2:].mean()])))

    def parzen(u: float) -> float:
        return 1 - 6 * u**2 + 6 * u**3 if u <= 0.5 else 2 * (1 - u) ** 3

    expected = sum(
        parzen(abs(h) / 6) * sum(x[t] * x[t - abs(h)] for t in range(abs(h), x.size))
        for h in range(-5, 6)
    )
    assert realised_kernel(prices, 5) == pytest.approx(expected, rel=1e-12)


def test_the_bandwidth_is_its_formula() -> None:
    """Barndorff-Nielsen and others (2009): (12^2 / 0.269)^(1/5) xi^(4/5) n^(3/5), xi^2 = noise over variance."""
    log_price = np.log(ticks(2e-4, 4))
    n = log_price.size - 1
    noise = np.sum(np.diff(log_price) ** 2) / (2 * n)
    apart = n // 72
    sparse = np.mean([np.sum(np.diff(log_price[k::apart]) ** 2) for k in range(apart)])
    wanted = (12**2 / 0.269) ** 0.2 * (noise / sparse) ** 0.4 * n**0.6
    assert optimal_bandwidth(np.exp(log_price)) == np.ceil(wanted)


def test_is_never_negative() -> None:
    bounce = 100 * np.exp(0.001 * (-1.0) ** np.arange(50))
    assert all(realised_kernel(bounce, width) >= 0 for width in range(0, 26))


def test_prices_that_stand_still_have_none() -> None:
    assert realised_kernel(np.full(100, 7.0)) == 0.0


@pytest.mark.parametrize(
    ("prices", "bandwidth", "field"),
    [
        (np.ones(19), None, "ticks"),
        (np.append(np.ones(30), 0.0), None, "ticks"),
        (np.ones((10, 10)), None, "ticks"),
        (np.ones(30), 16, "bandwidth"),
        (np.ones(30), -1, "bandwidth"),
    ],
)
def test_refuses_what_it_cannot_use(prices: Floats, bandwidth: int | None, field: str) -> None:
    with pytest.raises(QuantityError) as caught:
        realised_kernel(prices, bandwidth)
    assert caught.value.field == field
