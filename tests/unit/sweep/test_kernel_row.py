"""What the kernel has its own short way to is the pipeline's, to the last bit: ratios, the curve, ticks of a path."""

import math
import random
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.backtest.result import after_gas
from keeper.backtest.statistics import drawdowns, statistics, statistics_of_days
from keeper.quant.uniswap_v3 import sqrt_price_at_tick, tick_at_sqrt_price
from keeper.report.performance import day_ends
from keeper.sweep.kernel import _ticks
from keeper.sweep.kernel_curve import curve

START, HOUR = 1_600_000_000, 3_600


@given(
    seed=st.integers(0, 10**6),
    bars=st.integers(2, 1_500),
    step_s=st.sampled_from((600, HOUR, 86_400, 100_000)),
    gas=st.sampled_from((0.0, 0.01, 0.6)),
)
@settings(deadline=None, max_examples=60)
def test_a_curve_of_days_has_the_ratios_of_the_whole_curve(
    seed: int, bars: int, step_s: int, gas: float
) -> None:
    draw = random.Random(seed)
    times = np.arange(bars, dtype=np.int64) * step_s + START + draw.randrange(86_400)
    price = 2_000 * np.exp(np.cumsum([draw.gauss(0, 0.01) for _ in range(bars)]))
    steps = np.zeros((bars, 3))
    steps[:, 0] = np.floor(1e10 * np.exp(np.cumsum([draw.gauss(0, 0.01) for _ in range(bars)])))
    paid = [float(draw.randrange(10**9)) if draw.random() < gas else 0.0 for _ in range(bars)]
    steps[:, 1] = np.cumsum(paid)
    nav = steps[:, 0] / 1e6
    share = (steps[:, 0] + 1.0) / (steps[0, 0] + 1.0)
    equity = after_gas(share, nav, steps[:, 1] / 1e6)
    ends = day_ends(times)
    daily = np.empty((ends.size, 1))
    worst, least = curve(steps, ends, daily)
    assert daily[:, 0].tobytes() == equity[ends].tobytes()
    assert (worst, least) == (drawdowns(equity).max(), equity.min())
    of_days = statistics_of_days(times[ends], daily[:, 0], price[ends], worst, least)
    whole = statistics(times, equity, price)
    assert astuple(of_days) == astuple(whole)


def test_a_curve_that_is_spent_has_no_ratios_either_way() -> None:
    times = np.arange(900, dtype=np.int64) * HOUR + START
    steps = np.zeros((900, 3))
    steps[:, 0] = 1e9
    steps[500:, 0], steps[500:, 1] = 0.0, 1e6
    ends, price = day_ends(times), np.linspace(1_000, 2_000, 900)
    daily = np.empty((ends.size, 1))
    worst, least = curve(steps, ends, daily)
    equity = after_gas((steps[:, 0] + 1) / (1e9 + 1), steps[:, 0] / 1e6, steps[:, 1] / 1e6)
    found = statistics_of_days(times[ends], daily[:, 0], price[ends], worst, least)
    assert (worst, least) == (1.0, 0.0)
    assert found.sharpe is None
    assert astuple(found) == astuple(statistics(times, equity, price))


@pytest.mark.parametrize(
    "tick", [-887_000, -400_001, -399_999, -1, 0, 1, 195_000, 400_001, 886_000]
)
def test_ticks_of_a_path_are_the_pools_beside_every_boundary(tick: int) -> None:
    at = sqrt_price_at_tick(tick)
    spread = [0, 1, 2, at >> 60, at >> 45, at >> 38, at >> 30, at >> 20]
    roots = sorted({at + sign * apart for apart in spread for sign in (-1, 1)})
    rough = np.array([float(root) for root in roots])
    assert _ticks(roots, rough).tolist() == [tick_at_sqrt_price(root) for root in roots]


@given(st.lists(st.floats(-880_000, 880_000), min_size=1, max_size=50))
@settings(deadline=None)
def test_ticks_of_a_path_are_the_pools_anywhere(ticks: list[float]) -> None:
    roots = [int(math.exp(tick * math.log(1.0001) / 2) * 2**96) for tick in ticks]
    rough = np.array([float(root) for root in roots])
    assert _ticks(roots, rough).tolist() == [tick_at_sqrt_price(root) for root in roots]
