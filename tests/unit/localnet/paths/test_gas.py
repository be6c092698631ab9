"""The base fee follows the speed of the market inside EIP-1559's steps."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from keeper.localnet.paths.gas import GasShape, base_fees


@given(st.lists(st.floats(0.8, 1.25), min_size=2, max_size=60), st.sampled_from([12, 36, 300]))
def test_never_moves_faster_than_an_eighth_a_block_and_stays_in_bounds(
    moves: list[float], block: int
) -> None:
    shape = GasShape(baseline_gwei=20, peak_gwei=300)
    fees = base_fees(2_000 * np.cumprod(moves), block, shape).astype(float)
    assert (fees[1:] <= fees[:-1] * 1.125 + 1).all()
    assert (fees[1:] >= fees[:-1] / 1.125 - 1).all()
    assert fees.min() >= 20e9 - 1
    assert fees.max() <= 300e9


def test_a_still_market_costs_the_baseline() -> None:
    assert set(base_fees(np.full(50, 2_000.0), 12, GasShape()).tolist()) == {20 * 10**9}
