"""A swap is split over pools so that no other split gives more."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.model.market import PoolState
from keeper.planning.routes import route
from keeper.planning.swap_quote import simulate
from tests.builders import make_pool

TIERS = (100, 500, 3_000, 10_000)


@st.composite
def pools(draw: st.DrawFn) -> list[PoolState]:
    token0 = draw(st.booleans())
    return [
        make_pool(
            draw(st.floats(1_980, 2_020)),
            depth=draw(st.floats(10**5, 10**9)),
            fee_pips=draw(st.sampled_from(TIERS)),
            base_is_token0=token0,
        )
        for _ in range(draw(st.integers(1, 4)))
    ]


def amount_of(sells_base: bool, dollars: float) -> int:
    return int(dollars / 2_000 * 10**18) if sells_base else int(dollars * 10**6)


@settings(max_examples=150, deadline=None)
@given(pools(), st.booleans(), st.floats(1, 10**7), st.data())
def test_no_part_is_better_off_in_another_pool(
    found: list[PoolState], sells_base: bool, dollars: float, data: st.DataObject
) -> None:
    amount = amount_of(sells_base, dollars)
    best = route(found, sells_base, amount)
    assert best.amount_in == amount
    assert best.expected_out == sum(
        simulate(leg.pool, sells_base, leg.amount_in)[0] for leg in best.legs
    )
    alone = [simulate(pool, sells_base, amount)[0] for pool in found]
    assert best.expected_out >= max(alone)
    leg = data.draw(st.sampled_from(best.legs))
    other = data.draw(st.sampled_from(found))
    part = max(1, leg.amount_in // data.draw(st.sampled_from([2, 10, 1_000])))
    if other == leg.pool or part > leg.amount_in:
        return
    moved = {id(pool): 0 for pool in found}
    for one in best.legs:
        moved[id(one.pool)] = one.amount_in
    moved[id(leg.pool)] -= part
    moved[id(other)] += part
    out = sum(simulate(pool, sells_base, moved[id(pool)])[0] for pool in found)
    # each pool rounds its fee to a unit of what is sold, which of one dollar is a millionth
    rounded = len(found) * (best.expected_out // amount + 1)
    assert out <= best.expected_out + rounded + best.expected_out // 10**12


@given(pools(), st.booleans(), st.floats(1, 10**7))
def test_one_pool_is_quoted_as_ever(
    found: list[PoolState], sells_base: bool, dollars: float
) -> None:
    amount = amount_of(sells_base, dollars)
    single = route(found[:1], sells_base, amount)
    out, after = simulate(found[0], sells_base, amount)
    assert [(leg.amount_in, leg.expected_out, leg.pool_after) for leg in single.legs] == [
        (amount, out, after)
    ]


def test_equal_pools_share_equally_and_empty_ones_get_nothing() -> None:
    pool = make_pool()
    both = route([pool, replace(pool, pool="0x" + "02" * 20)], True, 10**20)
    assert abs(both.legs[0].amount_in - both.legs[1].amount_in) < 10**9
    assert both.expected_out > simulate(pool, True, 10**20)[0]
    empty = replace(pool, liquidity=0)
    assert [leg.pool for leg in route([empty, pool], True, 10**18).legs] == [pool]
    assert route([empty], True, 10**18).legs == ()
    assert route([pool], True, 0).legs == ()
