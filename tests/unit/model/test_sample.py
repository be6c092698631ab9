"""The sample that strategies are tried on is a state the keeper itself finds nothing wrong with."""

import pytest

from keeper.market import build_market
from keeper.model.sample import sample_market
from keeper.risk import assess
from tests.builders import market_policy


@pytest.mark.parametrize("price", [0.5, 37.0, 2_000.0, 90_000.0])
@pytest.mark.parametrize("supplied", [0.0, 300.0])
def test_a_sample_passes_every_check(price: float, supplied: float) -> None:
    sample = sample_market(price=price, supplied_base=supplied, debt_asset=supplied * price / 2)
    assert build_market(sample.readings, market_policy()).faults == ()
    risk = assess(sample)
    nav = 100 * price + 300_000 + supplied * price / 2
    assert risk.nav is not None
    assert risk.nav / 10**6 == pytest.approx(nav)
    assert sample.tradable


def test_what_is_asked_for_is_there() -> None:
    sample = sample_market(
        volatility=None, implied=None, base_fee_gwei=55, paused=True, faults=("stale",)
    )
    assert sample.outlook.volatility is None
    assert sample.outlook.smiles == ()
    assert sample.readings.paused
    assert sample.readings.block.base_fee_wei == 55 * 10**9
    assert not sample.tradable
    assert sample_market(implied=0.6).outlook.smiles[0].points[3] == (0.0, 0.6)
