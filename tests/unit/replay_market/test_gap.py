"""The execution gap: its parts add up to the last unit, and each difference lands where it belongs."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.backtest.ledger import Cause
from keeper.model.units import WAD
from keeper.replay_market.books import Step
from keeper.replay_market.gap import (
    DECISIONS,
    HELD,
    OPENING,
    ROUNDS,
    TIMING,
    Costs,
    Done,
    Line,
    Pair,
    Run,
    gap_of,
)

SCALE = 10**30
UNIT, ETHER = 10**6, 10**18


def run_of(prices: list[int], longs: list[int], cash: list[int], other: list[int]) -> Run:
    """Books of a vault that holds `longs` base and `cash`: step by step, whatever changed has a line."""
    steps, lines = list[Step](), list[Line]()
    for i, (price, long, idle) in enumerate(zip(prices, longs, cash, strict=True)):
        nav = idle + long * price // SCALE
        steps.append(Step(i, nav, long, price))
        if i:
            was = cash[i - 1] + longs[i - 1] * prices[i - 1] // SCALE
            moved = cash[i - 1] + longs[i - 1] * price // SCALE
            lines.append(Line(i, Cause.PRICE, moved - was))
            rest = nav - moved
            lines += [Line(i, Cause.BASIS, rest - other[i]), Line(i, Cause.IMPACT, other[i])]
    return Run(steps, lines)


prices = st.lists(st.integers(1, 10**22), min_size=2, max_size=8)
amounts = st.integers(-(10**20), 10**20)


@st.composite
def runs(draw: st.DrawFn) -> tuple[Run, Run]:
    count = len(draw(prices))
    made = []
    for _ in range(2):
        column = st.lists(st.integers(1, 10**22), min_size=count, max_size=count)
        signed = st.lists(amounts, min_size=count, max_size=count)
        made.append(run_of(draw(column), draw(signed), draw(signed), draw(signed)))
    return made[0], made[1]


@st.composite
def dones(draw: st.DrawFn) -> Done | None:
    if draw(st.booleans()):
        return None
    sent = draw(st.integers(0, 6))
    costs = Costs(*(draw(st.integers(-(10**9), 10**9)) for _ in range(3)))
    landed = draw(st.one_of(st.none(), st.integers(sent, 9)))
    return Done(sent, landed, "rebalance", "routine", draw(st.booleans()), 1, 5, costs)


pairs = st.lists(st.builds(Pair, dones(), dones()), max_size=4)


@given(runs(), pairs)
def test_the_parts_add_up_to_the_last_unit(both: tuple[Run, Run], sent: list[Pair]) -> None:
    gap = gap_of(*both, sent, SCALE)
    assert gap.exact
    assert gap.whole == both[0].steps[-1].nav - both[1].steps[-1].nav


@given(runs(), pairs)
def test_a_run_against_itself_has_no_gap_in_any_part(
    both: tuple[Run, Run], sent: list[Pair]
) -> None:
    one = both[0]
    alike = [Pair(p.replay, p.replay) for p in sent if p.replay]
    gap = gap_of(one, one, alike, SCALE)
    assert not any(gap.parts.values())


def test_a_change_that_no_line_explains_is_told_and_not_hidden() -> None:
    one = run_of([WAD] * 2, [0, 0], [100, 100], [0, 0])
    robbed = Run([one.steps[0], replace(one.steps[1], nav=90)], one.lines)
    assert not gap_of(robbed, one, [], SCALE).exact


PRICES = [2_000 * WAD, 1_900 * WAD, 1_800 * WAD, 1_700 * WAD]
HOLDS = [10 * ETHER] * 4
NOTHING = [0] * 4


def sold(steps: int, at: int) -> tuple[list[int], list[int]]:
    """Half of ten sold at the oracle's price at step `at`: base and cash by step."""
    long = [10 * ETHER if i < at else 5 * ETHER for i in range(steps)]
    cash = [0 if i < at else 5 * PRICES[at] // WAD * UNIT for i in range(steps)]
    return long, cash


def done(landed: int) -> Done:
    return Done(0, landed, "rebalance", "protective", False, 1, 0, Costs())


def test_a_transaction_that_landed_a_block_later_is_timing() -> None:
    late, early = sold(4, 2), sold(4, 1)
    replay, backtest = run_of(PRICES, *late, NOTHING), run_of(PRICES, *early, NOTHING)
    gap = gap_of(replay, backtest, [Pair(done(2), done(1))], SCALE)
    # between the two landings five more were held through a fall of 100
    assert gap.parts[TIMING] == gap.whole == -500 * UNIT


def test_a_transaction_only_one_run_sent_is_a_decision_with_all_it_cost() -> None:
    plain = run_of(PRICES, HOLDS, NOTHING, NOTHING)
    long, cash = sold(4, 1)
    paid = [c - 7 * UNIT if i >= 1 else c for i, c in enumerate(cash)]
    replay = run_of(PRICES, long, paid, NOTHING)
    only = replace(done(1), costs=Costs(basis=7 * UNIT))
    gap = gap_of(replay, plain, [Pair(only, None)], SCALE)
    assert gap.parts[DECISIONS] == gap.whole == (5 * 200 - 7) * UNIT
    assert gap.parts[Cause.BASIS] == 0


def test_the_same_holdings_under_other_rounds_are_rounds_alone() -> None:
    lagging = [PRICES[0], PRICES[0], PRICES[1], PRICES[2]]
    replay, backtest = (run_of(p, HOLDS, NOTHING, NOTHING) for p in (lagging, PRICES))
    gap = gap_of(replay, backtest, [], SCALE)
    assert gap.parts[ROUNDS] == gap.whole == 1_000 * UNIT
    assert gap.parts[HELD] == 0


def test_other_amounts_after_equal_decisions_are_held_and_a_late_start_is_the_opening() -> None:
    more = [HOLDS[0]] + [11 * ETHER] * 3
    paid = [0] + [-1 * PRICES[1] // WAD * UNIT] * 3
    replay = run_of(PRICES, more, paid, NOTHING)
    gap = gap_of(replay, run_of(PRICES, HOLDS, [3] * 4, NOTHING), [Pair(done(1), done(1))], SCALE)
    assert gap.parts[OPENING] == -3
    assert gap.parts[HELD] == -200 * UNIT
    assert gap.exact


def test_what_was_booked_before_the_first_shared_block_is_in_the_opening() -> None:
    one = run_of(PRICES, HOLDS, NOTHING, NOTHING)
    early = Run(one.steps, [Line(0, Cause.BASIS, 5), *one.lines])
    gap = gap_of(early, one, [], SCALE)
    assert gap.exact
    assert not any(gap.parts.values())


def test_other_rounds_are_counted_on_what_the_backtest_held() -> None:
    """Ten were held there and five here: a feed that says 100 more is worth 1,000 as rounds, whoever held less."""
    lagging = [PRICES[0], PRICES[0], PRICES[1], PRICES[2]]
    replay = run_of(lagging, [5 * ETHER] * 4, [10_000 * UNIT] * 4, NOTHING)
    gap = gap_of(replay, run_of(PRICES, HOLDS, NOTHING, NOTHING), [], SCALE)
    assert gap.parts[ROUNDS] == 1_000 * UNIT
    assert gap.parts[HELD] == 5 * 200 * UNIT
    assert gap.exact


def test_the_first_decision_that_differed_has_all_that_follows_and_a_revert_has_nothing() -> None:
    plain = run_of(PRICES, HOLDS, NOTHING, NOTHING)
    replay = run_of(PRICES, *sold(4, 1), NOTHING)
    lost = replace(done(3), reverted=True)
    for sent, part in (
        ([Pair(done(3), None), Pair(done(1), None)], DECISIONS),
        ([Pair(done(1), replace(done(1), reverted=True))], DECISIONS),
        ([Pair(lost, None)], HELD),
        ([Pair(replace(lost, landed_at=1), None)], HELD),
        ([Pair(lost, lost)], HELD),
    ):
        gap = gap_of(replay, plain, sent, SCALE)
        assert gap.parts[part] == gap.whole == 5 * 200 * UNIT


def test_a_landing_explains_nothing_of_the_step_that_ends_with_it() -> None:
    """A unit more was held from the start: until somebody acts that is amounts, a hundred a step."""
    more = run_of(PRICES, [11 * ETHER] * 4, NOTHING, NOTHING)
    plain = run_of(PRICES, HOLDS, NOTHING, NOTHING)
    differed = gap_of(more, plain, [Pair(done(1), None)], SCALE)
    assert (differed.parts[HELD], differed.parts[DECISIONS]) == (-100 * UNIT, -200 * UNIT)
    apart = gap_of(more, plain, [Pair(done(1), done(2))], SCALE)
    assert (apart.parts[HELD], apart.parts[TIMING]) == (-200 * UNIT, -100 * UNIT)


def test_gas_is_of_each_run_and_no_part_of_nav() -> None:
    one = run_of(PRICES, HOLDS, NOTHING, NOTHING)
    sent = [Pair(replace(done(1), gas_cost=5), replace(done(1), gas_cost=3)), Pair(None, None)]
    gap = gap_of(one, one, [*sent, Pair(replace(done(2), gas_cost=2), None)], SCALE)
    assert (gap.gas_replay, gap.gas_backtest, gap.whole) == (7, 3, 0)


def test_runs_on_other_blocks_are_not_compared() -> None:
    one = run_of(PRICES, HOLDS, NOTHING, NOTHING)
    with pytest.raises(ValueError, match="different times"):
        gap_of(one, Run(one.steps[:-1], one.lines), [], SCALE)
