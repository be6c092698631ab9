"""Strategies inside strategies: loaded by name, wherever they stand, and journalled so that they load again."""

import math
from pathlib import Path
from typing import Any

import pytest

from keeper.app.sound import SoundStrategy
from keeper.cli.replay import strategy_of
from keeper.config.strategy import GROUP, load_strategy
from keeper.errors import SettingError
from keeper.journal.codec import decode_loose, encode_loose
from keeper.journal.context import Context, context_of
from keeper.loop import TickRules
from strategies.collateral_guard import CollateralGuard
from strategies.composite import Composite
from strategies.covered_call import CoveredCall
from strategies.drawdown_throttle import DrawdownThrottle
from strategies.volatility_target import VolatilityTarget
from tests.installed import install
from tests.replay.ticks import POLICIES
from tests.unit.strategies.catalogue import EVERY, registered

CALL = {"name": "covered_call", "parameters": {"delta": 0.3}}


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "gimbal", GROUP, registered())
    monkeypatch.syspath_prepend(str(tmp_path))


def test_a_wrapper_takes_its_inner_strategy_by_name() -> None:
    found = load_strategy("volatility_target", {"inner": CALL, "volatility": "0.5"})
    assert found == VolatilityTarget(CoveredCall(delta=0.3), 0.5)


def test_a_composite_takes_parts_and_budgets_as_tables_or_as_text() -> None:
    wanted = Composite((CollateralGuard(), CoveredCall(delta=0.3)), (math.inf, 0.02))
    parts = [{"name": "collateral_guard"}, CALL]
    assert load_strategy("composite", {"parts": parts, "budgets": ["inf", 0.02]}) == wanted
    text = '[{"name": "collateral_guard"}, {"name": "covered_call", "parameters": {"delta": 0.3}}]'
    assert load_strategy("composite", {"parts": text, "budgets": [math.inf, "0.02"]}) == wanted


def test_wrappers_of_wrappers_are_reached() -> None:
    inner = {"name": "volatility_target", "parameters": {"inner": CALL}}
    found = load_strategy("drawdown_throttle", {"inner": inner})
    assert found == DrawdownThrottle(VolatilityTarget(CoveredCall(delta=0.3)))


@pytest.mark.parametrize(
    ("parameters", "field", "problem"),
    [
        ({}, "strategy.parameters.inner", "is missing"),
        ({"inner": 7}, "strategy.parameters.inner", "must be a strategy"),
        ({"inner": {"parameters": {}}}, "strategy.parameters.inner", "must be a strategy"),
        ({"inner": {"name": "nobody"}}, "strategy.parameters.inner.name", "no strategy"),
        (
            {"inner": {"name": "covered_call", "parameters": {"gamma": 1}}},
            "strategy.parameters.inner.parameters.gamma",
            "no such parameter",
        ),
        (
            {"inner": {"name": "covered_call", "parameters": {"delta": 3}}},
            "strategy.parameters.inner.parameters",
            "delta must be 0.01 to 0.5",
        ),
        ({"inner": {"name": "covered_call", "parameters": 5}}, "strategy.parameters.inner.parameters", "table"),
    ],
)  # fmt: skip
def test_what_is_wrong_inside_is_named_with_its_place(
    parameters: dict[str, Any], field: str, problem: str
) -> None:
    with pytest.raises(SettingError, match=problem) as refused:
        load_strategy("volatility_target", parameters)
    assert refused.value.field == field


def test_endless_nesting_ends() -> None:
    inner: dict[str, Any] = CALL
    for _ in range(12):
        inner = {"name": "gas_throttle", "parameters": {"inner": inner}}
    with pytest.raises(SettingError, match="too deep"):
        load_strategy("gas_throttle", {"inner": inner})


@pytest.mark.parametrize("name", sorted(EVERY))
def test_every_strategy_comes_back_from_the_journal(name: str) -> None:
    """K-07: what it is made of is in the context, however deep."""
    strategy = EVERY[name]
    context = context_of(strategy, POLICIES, TickRules())
    assert context.parameters is not None
    kept = decode_loose(encode_loose(context.parameters))
    again = Context(context.strategy, kept, POLICIES, {})
    back = strategy_of(again)
    assert isinstance(back, SoundStrategy)
    assert back.own == strategy
