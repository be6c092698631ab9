"""Prices at blocks tell what the bars tell: inside their range, at their ends, the same for the same seed."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.errors import PriceFileError
from keeper.localnet.paths.bars import BarKind, Bars
from keeper.localnet.paths.history import ROUND_SLACK, choose_block_seconds, prices_at_blocks

STEP = 600


def ohlc(rows: list[tuple[float, float, float, float]], step: int = STEP) -> Bars:
    prices = np.array(rows)
    times = np.arange(len(rows), dtype=np.int64) * step + 1_000_000
    return Bars("made", BarKind.OHLC, times, *prices.T)


def points(kind: BarKind, times: list[int], prices: list[float]) -> Bars:
    values = np.array(prices)
    return Bars("made", kind, np.array(times, dtype=np.int64), values, values, values, values)


@st.composite
def bar_rows(draw: st.DrawFn) -> list[tuple[float, float, float, float]]:
    rows = []
    for _ in range(draw(st.integers(2, 5))):
        low = draw(st.floats(50, 500))
        high = low * (1 + draw(st.floats(0, 0.3)))
        first, last = (low + draw(st.floats(0, 1)) * (high - low) for _ in range(2))
        rows.append((min(first, high), high, low, min(last, high)))
    return rows


@given(
    bar_rows(),
    st.sampled_from([12, 60, 100, 144, 150, 200, 300, 600]),
    st.integers(0, 2**40),
    st.booleans(),
)
def test_blocks_stay_inside_their_bar_and_end_at_its_close(
    rows: list[tuple[float, float, float, float]], block: int, seed: int, linear: bool
) -> None:
    bars = ohlc(rows)
    times, prices = prices_at_blocks(bars, block, seed, linear=linear)
    for begin, (first, high, low, last) in zip(bars.times, rows, strict=True):
        inside = prices[(times >= begin) & (times < begin + STEP)]
        assert (inside >= low * (1 - 1e-12)).all()
        assert (inside <= high * (1 + 1e-12)).all()
        assert inside[-1] == pytest.approx(last, rel=1e-12)
        if len(inside) >= 3:
            assert inside[0] == pytest.approx(first, rel=1e-12)
        if len(inside) >= 4:
            assert inside.min() == pytest.approx(low, rel=1e-12)
            assert inside.max() == pytest.approx(high, rel=1e-12)


@given(bar_rows(), st.integers(0, 2**40))
def test_the_same_seed_gives_the_same_prices(
    rows: list[tuple[float, float, float, float]], seed: int
) -> None:
    first, second = (prices_at_blocks(ohlc(rows), 12, seed)[1] for _ in range(2))
    assert (first == second).all()


def test_another_seed_gives_other_prices() -> None:
    bars = ohlc([(100, 110, 90, 105), (105, 120, 100, 101)])
    assert (prices_at_blocks(bars, 12, 1)[1] != prices_at_blocks(bars, 12, 2)[1]).any()


def test_a_short_bar_still_shows_its_worst() -> None:
    """With two blocks in a bar the further extreme is kept: a crash is not averaged away."""
    bars = ohlc([(100, 101, 60, 98), (98, 99, 97, 98)])
    _, prices = prices_at_blocks(bars, 300, 1)
    assert prices[0] == pytest.approx(60)


prices_of = st.lists(st.floats(50, 500), min_size=3, max_size=8)


@given(prices_of, st.integers(0, 2**40), st.booleans())
def test_closes_are_hit_at_their_moments_and_stay_in_their_neighbours_range(
    prices: list[float], seed: int, linear: bool
) -> None:
    bars = points(BarKind.CLOSE, [i * STEP for i in range(len(prices))], prices)
    times, out = prices_at_blocks(bars, 12, seed, linear=linear)
    assert out[:: STEP // 12] == pytest.approx(np.array(prices), rel=1e-9)
    for i in range(len(prices) - 1):
        near = prices[max(0, i - 1) : i + 3]
        inside = out[(times >= i * STEP) & (times < (i + 1) * STEP)]
        assert (inside >= min(near) * (1 - 1e-9)).all()
        assert (inside <= max(near) * (1 + 1e-9)).all()


@given(prices_of, st.integers(0, 2**40))
def test_between_rounds_the_market_stays_where_the_oracle_would_not_speak(
    prices: list[float], seed: int
) -> None:
    bars = points(BarKind.ROUNDS, [i * i * 300 for i in range(len(prices))], prices)
    times, out = prices_at_blocks(bars, 12, seed)
    for i in range(len(prices) - 1):
        inside = out[(times >= bars.times[i]) & (times < bars.times[i + 1])]
        assert (inside >= min(prices[i : i + 2]) * (1 - ROUND_SLACK) * (1 - 1e-9)).all()
        assert (inside <= max(prices[i : i + 2]) * (1 + ROUND_SLACK) * (1 + 1e-9)).all()


def test_the_market_moves_between_equal_rounds() -> None:
    bars = points(BarKind.ROUNDS, [0, 3_600], [2_000.0, 2_000.0])
    _, out = prices_at_blocks(bars, 12, 1)
    assert out.std() > 0


def test_a_hole_between_bars_is_crossed() -> None:
    """A missing hour is bridged from the close before it to the open after it."""
    prices = np.array([(100, 101, 99, 100), (100, 101, 99, 100), (110, 111, 109, 110)], dtype=float)
    bars = Bars("made", BarKind.OHLC, np.array([0, 600, 2_400], dtype=np.int64), *prices.T)
    times, out = prices_at_blocks(bars, 12, 1)
    hole = out[(times >= 1_200) & (times < 2_400)]
    assert (np.diff(times) == 12).all()
    assert hole[0] == pytest.approx(100)
    assert (hole <= 110 + 1e-9).all()
    assert (hole >= 100 - 1e-9).all()


@pytest.mark.parametrize("kind", list(BarKind))
@given(data=st.data())
def test_chosen_blocks_never_exceed_what_was_asked(kind: BarKind, data: Any) -> None:
    rows, most = data.draw(st.integers(2, 200)), data.draw(st.integers(50, 700))
    values = np.full(rows, 100.0)
    times = np.arange(rows, dtype=np.int64) * 3_600
    bars = Bars("made", kind, times, values, values, values, values)
    block = choose_block_seconds(bars, most)
    assert block % 12 == 0
    if block <= 3_600:
        assert len(prices_at_blocks(bars, block, 1)[0]) <= most


def test_too_long_a_window_is_refused_and_says_what_to_do() -> None:
    bars = ohlc([(100, 101, 99, 100)] * 50)
    with pytest.raises(PriceFileError, match="shorter window"):
        prices_at_blocks(bars, 1_200, 1)


def test_a_window_shorter_than_two_blocks_is_refused() -> None:
    with pytest.raises(PriceFileError, match="less than two blocks"):
        prices_at_blocks(points(BarKind.CLOSE, [0, 5], [1.0, 1.0]), 12, 1)
