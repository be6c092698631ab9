"""Segments: what is compressed, what is kept, and that nothing is known before it happened."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.backtest.events import Event, GasEvent, PriceEvent, RoundEvent
from keeper.errors import MarketDataError
from keeper.localnet.paths.path import PricePath
from keeper.model.units import WAD
from keeper.replay_market.segment import MOST_MOMENTS, Segment, of_events, of_path

START, HOUR, WINDOW = 1_600_000_000, 3_600, 120


def bars(*prices: float, step_s: int = HOUR) -> list[Event]:
    return [
        PriceEvent(START + i * step_s, round(p * WAD), ramp_s=step_s) for i, p in enumerate(prices)
    ]


def laid(events: list[Event], every_s: int = 0) -> Segment:
    return of_events("test", events, window_s=WINDOW, every_s=every_s)


events = st.lists(
    st.tuples(
        st.integers(0, 5_000),
        st.sampled_from(("price", "round", "gas")),
        st.integers(1, 9_999),
        st.integers(0, 4_000),
    ),
    min_size=2,
    max_size=40,
)


def _made(drawn: list[tuple[int, str, int, int]]) -> list[Event]:
    found: list[Event] = []
    for after, kind, value, ramp in sorted(drawn):
        time = START + after
        if kind == "price":
            found.append(PriceEvent(time, value * WAD, ramp_s=ramp))
        elif kind == "round":
            found.append(RoundEvent(time, value * 10**8, decides=False))
        else:
            found.append(GasEvent(time, value))
    prices = [PriceEvent(START, 100 * WAD), *found, PriceEvent(START + 6_000, 200 * WAD)]
    return sorted(prices, key=lambda e: e.time)


@given(events)
def test_blocks_stand_on_the_chains_own_grid_and_never_go_back(
    drawn: list[tuple[int, str, int, int]],
) -> None:
    segment = laid(_made(drawn))
    times = [m.time for m in segment.moments]
    assert all((time - times[0]) % 12 == 0 for time in times)
    assert all(b > a for a, b in pairwise(times))


@given(events)
def test_a_price_that_decides_is_one_that_had_come_by_then(
    drawn: list[tuple[int, str, int, int]],
) -> None:
    made = _made(drawn)
    for moment in laid(made).moments:
        if not moment.decides:
            continue
        come = [e for e in made if isinstance(e, PriceEvent) and e.time <= moment.time]
        assert moment.price_wad == come[-1].price_wad
        assert come[-1].time > moment.time - 12


@given(events)
def test_the_newest_round_of_a_block_holds_and_none_is_early(
    drawn: list[tuple[int, str, int, int]],
) -> None:
    made = _made(drawn)
    rounds = [e for e in made if isinstance(e, RoundEvent)]
    segment = laid(made)
    assert segment.rounds_given == bool(rounds)
    answers = [(m.time, m.answer) for m in segment.moments if m.answer is not None]
    for time, answer in answers[1:]:
        come = [e.answer for e in rounds if e.time <= time]
        assert answer == come[-1]
    if rounds:
        assert answers[-1][1] == rounds[-1].answer or rounds[-1].time <= segment.moments[0].time


def test_an_average_before_the_end_of_a_bar_sees_a_market_on_its_way() -> None:
    first, lead, last = laid(bars(100, 200)).moments
    assert (first.decides, lead.decides, last.decides) == (True, False, True)
    assert last.time - lead.time == WINDOW
    share = (HOUR - WINDOW) / HOUR
    assert lead.price_wad / WAD == pytest.approx(100 * 2**share, rel=1e-9)


def test_steps_shorter_than_the_average_need_no_block_between() -> None:
    assert laid(bars(100, 101, 102, step_s=60)).leads == 0


def test_prices_closer_than_asked_for_are_left_out_but_for_the_last() -> None:
    segment = laid(bars(*range(100, 111)), every_s=4 * HOUR)
    kept = [m.price_wad // WAD for m in segment.moments if m.decides]
    assert kept == [100, 104, 108, 110]
    ramps = [b.time - a.time for a, b in pairwise([m for m in segment.moments if m.decides])]
    assert ramps == [4 * HOUR, 4 * HOUR, 2 * HOUR]


def test_what_was_said_before_the_first_price_holds_at_it() -> None:
    before: list[Event] = [RoundEvent(START - 500, 99 * 10**8), GasEvent(START - 400, 7)]
    first = laid([*before, *bars(100, 101)]).moments[0]
    assert (first.time, first.answer, first.base_fee_wei) == (START, 99 * 10**8, 7)


def test_rounds_after_the_last_price_are_of_another_time() -> None:
    late = RoundEvent(START + 30 * HOUR, 99 * 10**8)
    segment = laid([*bars(100, 101), late])
    assert segment.moments[-1].time == START + HOUR
    assert not segment.rounds_given


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ([GasEvent(START, 5)], "has no price"),
        ([], "has no price"),
        (bars(100), "has one price only"),
        (list(reversed(bars(100, 101))), "is before"),
        (bars(*([100] * (MOST_MOMENTS + 2)), step_s=12), "--every"),
    ],
)
def test_what_cannot_be_played_is_said(made: list[Event], said: str) -> None:
    with pytest.raises(MarketDataError, match=said):
        laid(made)


def _path(online: list[bool], prices: list[float]) -> PricePath:
    times = np.array([START + 12 * i for i in range(len(prices))], dtype=np.int64)
    return PricePath(
        "stall",
        1,
        START,
        12,
        times,
        np.array(prices),
        np.array(online),
        np.full(len(prices), 10**9, dtype=np.int64),
        "a test",
    )


def test_a_silent_oracle_has_its_rounds_laid_out_and_says_nothing_in_between() -> None:
    prices = [100.0, 101.0, 102.0, 103.0, 103.1]
    segment = of_path(_path([True, False, False, True, True], prices))
    assert segment.rounds_given
    assert [m.answer for m in segment.moments] == [100 * 10**8, None, None, 103 * 10**8, None]


def test_an_oracle_that_speaks_is_left_to_its_own_rule() -> None:
    segment = of_path(_path([True] * 3, [100.0, 110.0, 120.0]))
    assert not segment.rounds_given
    assert {m.answer for m in segment.moments} == {None}
