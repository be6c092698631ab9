"""What cannot be meant is refused with the name of its field."""

from dataclasses import fields, replace
from typing import Any

import pytest

from keeper.errors import QuantityError
from keeper.model.exposure import Dependence, MarginVenue, RiskInputs, RiskPolicy, Tempo
from keeper.model.risk_report import Jumps
from keeper.risk.checks import check_inputs
from keeper.risk.deep import assess_deep
from tests.builders import make_market

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("field", [f.name for f in fields(RiskPolicy)])
@pytest.mark.parametrize("bad", [NAN, -INF, -1.0001])
def test_every_number_of_the_policy_is_checked(field: str, bad: float) -> None:
    policy = replace(RiskPolicy(), **{field: bad})
    with pytest.raises(QuantityError, match=rf"policy\.{field}"):
        check_inputs(RiskInputs(policy=policy))


@pytest.mark.parametrize("field", [f.name for f in fields(Tempo)])
@pytest.mark.parametrize("bad", [NAN, INF, -1.0])
def test_every_number_of_the_tempo_is_checked(field: str, bad: float) -> None:
    given: dict[str, Any] = {field: bad}
    with pytest.raises(QuantityError, match=rf"tempo\.{field}"):
        check_inputs(RiskInputs(tempo=replace(Tempo(), **given)))


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("policy.confidence", {"policy": RiskPolicy(confidence=1.0)}),
        ("policy.horizon_days", {"policy": RiskPolicy(horizon_days=0.0)}),
        ("policy.spot_volatility_correlation", {"policy": RiskPolicy(spot_volatility_correlation=1.01)}),
        ("policy.jump", {"policy": RiskPolicy(jump=1.0)}),
        ("policy.depeg", {"policy": RiskPolicy(depeg=1.0)}),
        ("jumps.intensity", {"jumps": Jumps(-1.0)}),
        ("jumps.intensity", {"jumps": Jumps(1_001.0)}),
        ("jumps.mean", {"jumps": Jumps(1.0, NAN)}),
        ("jumps.deviation", {"jumps": Jumps(1.0, 0.0, -0.1)}),
        ("residuals", {"residuals": (0.1, NAN)}),
        ("overlap", {"overlap": 0}),
        ("option_volatilities.7", {"option_volatilities": (("7", -0.1),)}),
        ("dependences.a.b", {"dependences": (Dependence("a", "b", 1.1),)}),
        ("margin_venues.perps.maintenance", {"margin_venues": (MarginVenue("perps", 0.0),)}),
        ("volatility", {"volatility": 11.0}),
    ],
)  # fmt: skip
def test_the_report_refuses_by_name(field: str, given: dict[str, Any]) -> None:
    with pytest.raises(QuantityError) as caught:
        assess_deep(make_market(), RiskInputs(**given))
    assert str(caught.value).startswith(field), str(caught.value)


def test_what_can_be_meant_passes() -> None:
    check_inputs(RiskInputs())
    check_inputs(
        RiskInputs(policy=RiskPolicy(max_var_of_nav=None), jumps=Jumps(1_000.0, -5.0, 5.0))
    )
