"""`keeper doctor` names what the strategy needs, and for what is missing what to do."""

import pytest

from keeper.cli.doctor_needs import judged
from keeper.model.outlook import Outlook
from keeper.ops.doctor.line import Level
from strategies.collateral_guard import CollateralGuard
from strategies.composite import Composite
from strategies.delta_hedge import DeltaHedge
from strategies.parts.needs import REMEDY, Need, needs_of
from strategies.volatility_target import VolatilityTarget
from tests.unit.strategies.catalogue import CALLS, EVERY
from tests.unit.strategies.worlds import outlook


def test_a_wrapper_needs_what_it_wraps_needs() -> None:
    whole = Composite((CollateralGuard(), VolatilityTarget(CALLS), DeltaHedge(venue="perp")))
    assert set(needs_of(whole)) == {Need.FORECAST, Need.SMILES, Need.FUNDING}
    assert needs_of(CollateralGuard()) == ()


@pytest.mark.parametrize("name", sorted(EVERY))
def test_what_is_missing_has_a_remedy(name: str) -> None:
    needs = needs_of(EVERY[name])
    lines = judged(needs, Outlook(), ("the node is down",))
    assert [line.level for line in lines] == [Level.WARN] * len(needs)
    for need, line in zip(needs, lines, strict=True):
        assert line.remedy == REMEDY[need]
        assert str(need) in line.check


def test_what_is_there_is_said() -> None:
    needs = (Need.FORECAST, Need.SMILES, Need.FUNDING, Need.DRAWDOWN)
    lines = judged(needs, outlook(), ())
    assert [line.level for line in lines] == [Level.OK] * 4
    assert "70.0%" in lines[0].found
    assert "55.0% to 90.0%" in lines[0].found
