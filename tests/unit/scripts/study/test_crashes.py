"""Crash paths are seeded, taken once each, and shown where they move."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from keeper.backtest.events import PriceEvent
from keeper.history.bars import Bars
from keeper.localnet.paths.build import ScenarioSpec, build_path
from keeper.localnet.paths.gas import GasShape
from keeper.model.units import WAD
from scripts.study import crashes


def hourly(seed: int = 0, hours: int = 3_000, falls: tuple[int, ...] = (1_000, 2_000)) -> Bars:
    """A quiet walk with a fall of about a third in four hours at each of the given ones."""
    draw = np.random.default_rng(seed)
    steps = draw.normal(0, 0.001, hours)
    for fall in falls:
        steps[fall : fall + 4] -= 0.1
    close = 1_000 * np.exp(np.cumsum(steps))
    opening = np.concatenate([[1_000.0], close[:-1]])
    high, low = np.maximum(opening, close) * 1.001, np.minimum(opening, close) * 0.999
    times = 1_500_000_000 // 3_600 * 3_600 + 3_600 * np.arange(hours)
    return Bars(3_600, times, opening, high, low, close, ())


def test_every_crash_is_one_window_and_none_overlap() -> None:
    windows = sorted(crashes.crash_windows(hourly()))
    assert len(windows) == 2
    for (begin, end), fall in zip(windows, (1_000, 2_000), strict=True):
        assert begin < fall < fall + 4 < end
    assert windows[0][1] < windows[1][0]


def test_a_quiet_history_has_no_crash() -> None:
    assert crashes.crash_windows(hourly(falls=())) == []


def test_a_forecast_knows_nothing_of_the_bar_it_is_for() -> None:
    bars = hourly()
    close = np.concatenate([bars.close[:1_500], bars.close[1_500:] * 3])
    changed = replace(bars, close=close)
    ours, other = crashes.forecasts(bars), crashes.forecasts(changed)
    assert np.array_equal(ours[:1_501], other[:1_501])
    assert not np.array_equal(ours, other)


def test_one_seed_gives_the_same_cases(tmp_path: Path) -> None:
    bars = hourly()

    def drawn() -> list[crashes.Case]:
        draw = np.random.default_rng(7)
        cases = [
            *crashes.history(bars, tmp_path, draw),
            *crashes.bootstrapped(bars, tmp_path, 3, draw),
        ]
        return [*cases, *crashes.generated(bars, 8, draw)]

    assert drawn() == drawn()


def test_bootstrapped_days_move_as_the_hours_they_are_drawn_from(tmp_path: Path) -> None:
    bars = hourly()
    case = next(crashes.bootstrapped(bars, tmp_path, 1, np.random.default_rng(3)))
    path = case.scenario.path  # type: ignore[union-attr]
    rows = np.loadtxt(path, delimiter=",", skiprows=1)
    assert rows.shape == (24, 5)
    known = np.sort(bars.close / bars.open)
    for moved in rows[:, 4] / rows[:, 1]:
        assert np.min(np.abs(known - moved)) < 1e-9


def test_prices_are_shown_where_they_move_and_not_kept_back_for_long() -> None:
    spec = ScenarioSpec("crash", 1, {"block_seconds": 12.0}, GasShape())
    path = build_path(spec)
    events = [e for e in crashes.events_of(path) if isinstance(e, PriceEvent)]
    shown = {e.time: e.price_wad / WAD for e in events}
    last, at = 0.0, 0
    for time, price in zip(path.times.tolist(), path.market_price.tolist(), strict=True):
        last, at = (shown[time], time) if time in shown else (last, at)
        assert abs(price / last - 1) < crashes.MOVE + 1e-9
        assert time - at < crashes.QUIET_S
    assert sum(e.ramp_s for e in events[1:]) == events[-1].time - events[0].time
