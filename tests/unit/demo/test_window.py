"""The window goes around the greatest fall; thinning keeps prices and drops quiet blocks."""

import numpy as np
import pytest

from keeper.demo.window import WINDOW_S, choose_window, greatest_fall, thin
from keeper.localnet.paths.path import PricePath

HOUR = 3_600


def make_path(prices: list[float], *, silent: range = range(0)) -> PricePath:
    blocks = len(prices)
    online = np.ones(blocks, dtype=np.bool_)
    online[list(silent)] = False
    return PricePath(
        name="made",
        seed=1,
        start_time=1_700_000_000,
        block_seconds=12,
        times=np.arange(blocks, dtype=np.int64) * 12 + 1_700_000_000,
        market_price=np.array(prices),
        oracle_online=online,
        base_fee_wei=np.full(blocks, 10**10, dtype=np.int64),
        description="made",
    )


def quiet_then_crash(blocks: int = 3_000) -> PricePath:
    rng = np.random.default_rng(1)
    steps = rng.normal(0, 1e-5, blocks)
    steps[2_000:2_060] -= 0.005
    return make_path(list(100 * np.exp(np.cumsum(steps))))


def test_greatest_fall_is_the_one_that_fits_the_time() -> None:
    times = [0, HOUR, 2 * HOUR, 20 * HOUR]
    top, bottom, fall = greatest_fall(times, [100.0, 90.0, 95.0, 50.0], 3 * HOUR)
    assert (top, bottom) == (0, 1)
    assert fall == pytest.approx(0.1)
    assert greatest_fall(times, [100.0, 90.0, 95.0, 50.0], 30 * HOUR)[:2] == (0, 3)


def test_a_price_that_never_falls_has_no_fall() -> None:
    assert greatest_fall([0, 1, 2], [1.0, 2.0, 3.0], 10) == (0, 0, 0.0)


def test_agrees_with_looking_at_every_pair() -> None:
    rng = np.random.default_rng(7)
    times = np.cumsum(rng.integers(1, 50, 120)).tolist()
    prices = np.exp(np.cumsum(rng.normal(0, 0.02, 120))).tolist()
    every = max(
        1 - prices[j] / prices[i]
        for i in range(120)
        for j in range(i, 120)
        if times[j] - times[i] <= 300
    )
    assert greatest_fall(times, prices, 300)[2] == pytest.approx(every)


def test_a_short_history_is_shown_whole() -> None:
    assert choose_window([0, 47 * HOUR], [100.0, 50.0]) is None


def test_a_long_history_is_cut_to_the_day_around_its_greatest_fall() -> None:
    times = [i * HOUR for i in range(400)]
    prices = [100.0] * 200 + [80.0] * 200
    window = choose_window(times, prices)
    assert window is not None
    assert window.end - window.begin == WINDOW_S
    assert window.begin < 199 * HOUR < window.end
    assert "20.0 %" in window.reason


@pytest.mark.parametrize("at", [1, 398])
def test_the_window_stays_inside_the_file(at: int) -> None:
    times = [i * HOUR for i in range(400)]
    window = choose_window(times, [100.0 if i < at else 70.0 for i in range(400)])
    assert window is not None
    assert times[0] <= window.begin
    assert window.end <= times[-1]


def test_a_short_path_is_not_thinned() -> None:
    path = make_path([100.0] * 50)
    assert thin(path, 600) is path


def test_thinning_keeps_to_the_limit_and_to_the_prices() -> None:
    path = quiet_then_crash()
    thinned = thin(path, 300)
    assert len(thinned) <= 300
    assert set(thinned.times.tolist()) <= set(path.times.tolist())
    there = np.isin(path.times, thinned.times)
    assert (path.market_price[there] == thinned.market_price).all()
    assert (thinned.times[0], thinned.times[-1]) == (path.times[0], path.times[-1])


def test_thinning_keeps_every_block_of_the_crash_and_its_lowest_price() -> None:
    path = quiet_then_crash()
    thinned = thin(path, 300)
    steps = np.abs(np.diff(np.log(thinned.market_price)))
    assert steps.max() == pytest.approx(np.abs(np.diff(np.log(path.market_price))).max())
    assert thinned.market_price.min() == path.market_price.min()


def test_thinning_never_hides_that_the_oracle_fell_silent() -> None:
    path = make_path([100.0] * 1_000, silent=range(500, 520))
    thinned = thin(path, 100)
    changes = thinned.times[1:][np.diff(thinned.oracle_online.astype(int)) != 0]
    assert changes.tolist() == [path.times[500], path.times[520]]
