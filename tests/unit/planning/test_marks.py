"""Volatility marks: posted by the poster alone, towards the market, never further than the oracle lets one post go."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keeper.execution import chores
from keeper.model.decision import CancelAuction, PostMarks
from keeper.model.desk import Posting, VolatilityMark
from keeper.model.market import MarketState
from keeper.model.outlook import Outlook, Smile
from keeper.model.policy import MarkPolicy, UpkeepPolicy
from keeper.model.units import BPS, WAD, Bps, Wad
from keeper.planning import due_work
from keeper.planning.marks import distance, due_marks, market_marks, move_wad_up
from keeper.quant.surface import Mark, MarkSurface
from keeper.risk import assess
from tests.builders import KEEPER, NOW
from tests.desk_builders import (
    DAY,
    VOLATILITY,
    auction,
    desk_market,
    series,
    target,
    volatility,
)

POLICY = MarkPolicy()
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
POSTING = Posting(KEEPER, NOW - 3_600, False, 600, 12 * 3_600, Bps(500), Wad(WAD // 5))


def smiles(level: float, skew: float = 0.0, curve: float = 0.0) -> tuple[Smile, ...]:
    """Three expiries with the same smile in ln(strike / forward)."""
    points = tuple(
        (k, max(0.02, level + skew * k + curve * k * k)) for k in (-0.3, -0.1, 0, 0.1, 0.3)
    )
    return tuple(Smile(NOW + days * DAY, 2_000.0, points) for days in (7, 14, 30))


def market(
    seen: tuple[Smile, ...],
    *,
    posting: Posting | None = POSTING,
    marks: tuple[VolatilityMark, ...] | None = None,
    faults: tuple[str, ...] = (),
    level: float = 0.6,
) -> MarketState:
    surface = replace(volatility(level=level), posting=posting)
    if marks is not None:
        surface = replace(surface, marks=marks)
    return replace(desk_market(surface=surface, faults=faults), outlook=Outlook(smiles=seen))


def test_marks_off_the_market_are_posted_by_their_poster_alone() -> None:
    off = smiles(0.62, -0.05, 0.1)
    found = due_marks(market(off), POLICY)
    assert found is not None
    assert (found.oracle, [m.tenor_s for m in found.marks]) == (VOLATILITY, [7 * DAY, 30 * DAY])
    assert NOW < found.deadline <= NOW + 600
    for posting in (
        None,
        replace(POSTING, poster=VOLATILITY),
        replace(POSTING, frozen=True),
        replace(POSTING, marked_at=NOW - 599),
    ):
        assert due_marks(market(off, posting=posting), POLICY) is None
    assert due_marks(market(off, posting=replace(POSTING, marked_at=NOW - 600)), POLICY)
    assert due_marks(market(off), replace(POLICY, post=False)) is None
    assert due_marks(market(off, faults=("stale",)), POLICY) is None


def test_nothing_is_posted_without_a_market_and_marks_then_turn_stale() -> None:
    old = replace(POSTING, marked_at=NOW - 2 * DAY)
    assert due_marks(market((), posting=old), POLICY) is None
    echoed = tuple(replace(smile, own=True) for smile in smiles(0.9))
    assert due_marks(market(echoed, posting=old), POLICY) is None, "its own word is no market"
    gone = (Smile(NOW - 1, 2_000.0, ((0.0, 0.9),)),)
    assert due_marks(market(gone, posting=old), POLICY) is None


def test_right_marks_are_left_until_half_their_age_and_then_posted_again() -> None:
    seen = smiles(0.62, -0.05, 0.1)
    right = market_marks(seen, volatility(), NOW)
    assert right is not None
    young = replace(POSTING, marked_at=NOW - 6 * 3_600 + 1)
    assert due_marks(market(seen, marks=right, posting=young), POLICY) is None
    aged = replace(POSTING, marked_at=NOW - 6 * 3_600)
    found = due_marks(market(seen, marks=right, posting=aged), POLICY)
    assert found is not None
    assert found.marks == right


def test_a_day_that_is_used_up_waits_unless_marks_grow_old() -> None:
    used = replace(POSTING, left_wad=Wad(0))
    assert due_marks(market(smiles(0.9), posting=used), POLICY) is None
    aged = replace(used, marked_at=NOW - 7 * 3_600)
    found = due_marks(market(smiles(0.9), posting=aged), POLICY)
    assert found is not None
    assert found.marks == volatility().marks


def test_no_level_is_posted_under_the_floor() -> None:
    found = market_marks(smiles(0.1), volatility(), NOW)
    assert found is not None
    assert min(mark.level_ppm for mark in found) == 200_000


def test_a_flat_market_gives_flat_marks() -> None:
    flat = (Smile(NOW + 14 * DAY, 2_000.0, ((0.0, 0.7),)),)
    found = market_marks(flat, volatility(), NOW)
    assert found is not None
    for mark in found:
        assert mark.level_ppm == pytest.approx(700_000, rel=1e-3)
        assert abs(mark.skew_bps) < 100
    assert distance(found, [replace(m, skew_bps=0, convexity_bps=Bps(500)) for m in found]) < 0.01


@FEW
@given(
    level=st.floats(0.25, 2.5),
    skew=st.floats(-0.4, 0.4),
    curve=st.floats(0.0, 1.0),
    step=st.integers(10, 2_500),
    left=st.integers(0, WAD // 2),
)
def test_a_post_stays_inside_what_the_oracle_takes_and_comes_nearer(
    level: float, skew: float, curve: float, step: int, left: int
) -> None:
    posting = replace(POSTING, max_step_bps=Bps(step), left_wad=Wad(left))
    seen = smiles(level, skew, curve)
    found = due_marks(market(seen, posting=posting), POLICY)
    wanted = market_marks(seen, volatility(), NOW)
    if found is None or wanted is None:
        return
    before = volatility().marks
    for a, b in zip(before, found.marks, strict=True):
        assert move_wad_up(a, b) <= min(step * WAD // BPS, left)
    assert taken(found.marks)
    assert distance(found.marks, wanted) <= distance(before, wanted) + 1e-9
    if found.marks != wanted:
        # nothing larger fits: the next millionth of the way would break a bound, or the surface
        assert max(move_wad_up(a, b) for a, b in zip(before, wanted, strict=True)) > min(
            step * WAD // BPS, left * 99 // 100
        ) or not all(taken(m) for m in (before, wanted))


def taken(marks: tuple[VolatilityMark, ...]) -> bool:
    own = tuple(Mark(m.level_ppm, m.skew_bps, m.convexity_bps) for m in marks)
    return not MarkSurface(tuple(m.tenor_s for m in marks), own).faults()


def test_far_marks_arrive_in_a_few_posts() -> None:
    seen, marks = smiles(0.9, -0.1, 0.2), volatility().marks
    posts = 0
    while (found := due_marks(market(seen, marks=marks), POLICY)) is not None:
        marks, posts = found.marks, posts + 1
        assert posts < 40
    wanted = market_marks(seen, volatility(), NOW)
    assert wanted is not None
    assert distance(marks, wanted) * BPS < POLICY.band_bps
    assert posts > 3


def test_it_is_due_work_with_the_oracles_own_calldata() -> None:
    seen = market(smiles(0.9))
    work = due_work(seen, assess(seen), target(), UpkeepPolicy())
    assert isinstance(work, PostMarks)
    data = chores.data(work)
    assert chores.receiver(work) == VOLATILITY
    words = [int.from_bytes(data[4 + i : 36 + i], "big") for i in range(0, len(data) - 4, 32)]
    assert words[:3] == [64, work.deadline, 2]
    assert words[3] == work.marks[0].level_ppm
    assert due_work(seen, assess(seen), target(), UpkeepPolicy(options=False)) is None


# ---------------------------------------------------------------- smiles that nobody can mean


NUMBERS = st.one_of(
    st.sampled_from([0.0, -1.0, 1e-300, 1e300, float("inf"), float("-inf"), float("nan"), 710.0]),
    st.floats(-5, 5),
)
HOSTILE = st.builds(
    Smile,
    st.sampled_from([NOW - 1, NOW, NOW + 1, NOW + 7 * DAY, NOW + 14 * DAY, NOW + 10**9, 2**80]),
    st.one_of(NUMBERS, st.just(2_000.0)),
    st.lists(st.tuples(NUMBERS, NUMBERS), min_size=0, max_size=5).map(tuple),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(HOSTILE, min_size=1, max_size=4))
def test_no_smile_ends_a_tick_or_makes_marks_the_oracle_would_refuse(seen: list[Smile]) -> None:
    """What is due beside marks (settlements, auctions to clear away) must not hang on what a file lists."""
    found = due_marks(market(tuple(seen)), POLICY)
    assert found is None or taken(found.marks)


def test_smiles_beyond_reason_are_no_market() -> None:
    right = market_marks(smiles(0.62), volatility(), NOW)
    mad = Smile(NOW + 14 * DAY, 2_000.0, ((-0.1, 40.0), (0.0, 45.0), (0.1, 60.0)))
    assert market_marks((*smiles(0.62), mad), volatility(), NOW) == right
    assert market_marks((mad,), volatility(), NOW) is None


def test_a_post_that_the_days_budget_leaves_next_to_nothing_for_waits_for_more() -> None:
    """Or gas would be burnt at every interval on what has just refilled."""
    far = smiles(0.9)
    step_wad = POSTING.max_step_bps * WAD // BPS
    for part, posts in ((0.02, False), (0.3, False), (0.6, True), (1.2, True)):
        posting = replace(POSTING, left_wad=Wad(int(part * step_wad)))
        assert (due_marks(market(far, posting=posting), POLICY) is not None) is posts
    # what fits wholly is posted, however little is left
    before = market_marks(smiles(0.62, -0.05, 0.1), volatility(), NOW)
    near = smiles(0.64, -0.05, 0.1)
    wanted = market_marks(near, volatility(), NOW)
    assert before is not None
    assert wanted is not None
    needs = max(move_wad_up(a, b) for a, b in zip(before, wanted, strict=True))
    posting = replace(POSTING, max_step_bps=Bps(5_000), left_wad=Wad(needs * 102 // 100))
    found = due_marks(market(near, posting=posting, marks=before), POLICY)
    assert found is not None
    assert found.marks == wanted


def test_marks_that_are_refused_for_ever_keep_nothing_else_from_being_done() -> None:
    """A post that fails in simulation stays due: an auction that is over is cleared away all the same."""
    ended = auction(series(2_200), ends_in_s=-1)
    off = market(smiles(0.9))
    state = off.readings.options.state
    assert state is not None
    options = replace(off.readings.options, state=replace(state, auctions=(ended,)))
    done = set()
    for number in range(100, 130, 2):  # a failure pauses for two blocks
        block = replace(off.readings.block, number=number)
        readings = replace(off.readings, options=options, block=block)
        seen = replace(off, readings=readings)
        done.add(type(due_work(seen, assess(seen), target(), UpkeepPolicy())))
    assert done == {PostMarks, CancelAuction}
