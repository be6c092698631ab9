"""The doctor's word on the vault's one pool: what it costs, beside the best split over the pair's tiers."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.model.market import PoolState
from keeper.ops.doctor.line import Level
from keeper.ops.doctor.route import pool_cost
from keeper.planning.routes import route
from keeper.planning.swap_quote import simulate
from tests.builders import dollars, make_pool, make_readings


def tier(fee_pips: int, depth: float) -> PoolState:
    return replace(make_pool(2_000, depth=depth, fee_pips=fee_pips), pool=f"0x{fee_pips:040x}")


def test_a_pool_that_is_as_good_as_any_split_is_ok() -> None:
    readings = make_readings()
    (line,) = pool_cost(readings, (readings.pool,), dollars(500_000))
    assert line.level is Level.OK
    assert "costs 17 bps" in line.found  # 5 of fee, 12.5 of impact on 400 million
    (line,) = pool_cost(readings, (readings.pool, tier(10_000, 10**5)), dollars(500_000))
    assert line.level is Level.OK


def test_a_deeper_or_cheaper_tier_is_named() -> None:
    shallow = tier(3_000, 2 * 10**7)
    readings = replace(make_readings(), pool=shallow)
    (line,) = pool_cost(readings, (shallow, tier(500, 4 * 10**8)), dollars(500_000))
    assert line.level is Level.WARN
    assert "split over" in line.found
    assert f"0x{500:040x}" in line.remedy


def test_without_a_price_or_anything_to_sell_nothing_is_said() -> None:
    readings = make_readings(price=0)
    assert pool_cost(readings, (readings.pool,), dollars(500_000)) == []
    assert pool_cost(make_readings(), (readings.pool,), 0) == []


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(st.floats(10**5, 10**9), st.floats(10**5, 10**9)),
    st.tuples(st.sampled_from((100, 500, 3_000)), st.sampled_from((500, 3_000, 10_000))),
    st.floats(10, 10**7),
    st.booleans(),
)
def test_a_split_gives_what_the_best_of_a_thousand_grid_points_gives(
    depths: tuple[float, float], fees: tuple[int, int], value: float, sells_base: bool
) -> None:
    """Brute force over two pools, to a unit of rounding a leg."""
    first, second = (tier(fee, depth) for fee, depth in zip(fees, depths, strict=True))
    second = replace(second, pool="0x" + "99" * 20)
    amount = int(value / 2_000 * 10**18) if sells_base else int(value * 10**6)
    grid = max(
        simulate(first, sells_base, amount * i // 1_000)[0]
        + simulate(second, sells_base, amount - amount * i // 1_000)[0]
        for i in range(1_001)
    )
    best = route([first, second], sells_base, amount)
    assert best.amount_in == amount
    assert best.expected_out >= grid - 2 - grid // 10**12
