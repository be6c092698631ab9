"""An objective becomes weights, weights become sizes, and where nothing satisfies everything only guards act."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.config.strategy import load_strategy
from keeper.errors import SettingError
from keeper.journal.context import described as recorded
from keeper.model.decision import NO_DECISION, Lane, OptionTarget, PerpetualTarget, Target
from keeper.quant.allocation import Allocation, Infeasible, expected_shortfall
from strategies.collateral_guard import CollateralGuard
from strategies.objective import Objective
from tests.builders import NOW, ether, make_readings, wad
from tests.installed import install
from tests.unit.backtest.worlds import run, spec, walk
from tests.unit.strategies.catalogue import CALLS, EVERY, PUTS
from tests.unit.strategies.worlds import (
    ask,
    market,
    outlook,
    perpetual,
    position,
    vault,
    with_positions,
    written_of,
)

LOSSES = (
    tuple(0.0010 * ((7 * i) % 100) - 0.04 for i in range(100)),
    tuple(0.0008 * ((13 * i) % 100) - 0.03 for i in range(100)),
)


def objective(**given: Any) -> Objective:
    plain: dict[str, Any] = {
        "parts": (CALLS, PUTS),
        "names": ("calls", "puts"),
        "expected_returns": (0.12, 0.08),
        "losses": LOSSES,
        "es_confidence": 0.95,
        "most": (0.8, 0.6),
    }
    return Objective(**(plain | given))


class Wants:
    """The same target, always."""

    def __init__(self, target: Target, *claims: str) -> None:
        self.target, self.claims = target, claims

    def __call__(self, market: Any, risk: Any) -> Target:
        return self.target


HOLD = Target(Lane.ROUTINE, None, None, "rests")


def test_each_part_has_its_weight_of_its_own_size() -> None:
    strategy = objective(reserve=0.1)
    answer = strategy.answer()
    assert isinstance(answer, Allocation)
    weights = dict(answer.weights)
    assert weights == pytest.approx({"calls": 0.8, "puts": 0.1})
    target = ask(strategy, market())
    sizes = {o.is_call: -o.quantity for o in written_of(target)}
    full = {
        is_call: -next(o.quantity for o in written_of(ask(one, market())))
        for is_call, one in ((True, CALLS), (False, PUTS))
    }
    assert sizes[True] == pytest.approx(full[True] * 0.8, rel=3e-5)
    assert sizes[False] == pytest.approx(full[False] * 0.1, rel=3e-5)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.005, 0.05), st.floats(0.3, 3.0), st.floats(1.0, 2.0))
def test_a_higher_forecast_never_gives_more_and_the_shortfall_keeps_its_limit(
    limit: float, volatility: float, more: float
) -> None:
    strategy = objective(es_limit=limit, made_at=0.7)
    totals = []
    for at in (volatility, volatility * more):
        scale = strategy.scale(market(seen=outlook(volatility=at)))
        answer = strategy.answer(scale)
        assert isinstance(answer, Allocation)
        weights = dict(answer.weights)
        # what the forecast says of the losses, not what the step made of it
        losses = [
            sum(weights[n] * losses[i] for n, losses in zip(weights, LOSSES, strict=True))
            for i in range(100)
        ]
        assert expected_shortfall(losses, 0.95) * at / 0.7 <= limit * (1 + 1e-6)
        totals.append(answer.expected_return)
    assert totals[1] <= totals[0] + 1e-12


def test_an_infeasible_objective_holds_and_says_what_excludes_what() -> None:
    strategy = objective(es_limit=0.001, least_return=0.08)
    assert isinstance(strategy.answer(), Infeasible)
    target = ask(strategy, market())
    assert target.hold
    assert target.reason.startswith(NO_DECISION)
    assert "expected shortfall, return" in target.reason
    assert "possible with" in target.reason


def test_an_infeasible_objective_still_protects() -> None:
    strategy = objective(es_limit=0.001, least_return=0.08, guards=(CollateralGuard(),))
    danger = market(make_readings(price=1_600))
    assert ask(strategy, danger).lane is Lane.PROTECTIVE
    calm = ask(strategy, market())
    assert calm.hold
    assert NO_DECISION in calm.reason


def test_protection_waits_for_no_solver_and_outlives_one_that_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Weights are solved for anew in a storm: that is when a guard is needed."""
    strategy = objective(guards=(CollateralGuard(),), made_at=0.7)
    asked_for: list[Any] = []

    def fails(problem: Any) -> Any:
        asked_for.append(problem)
        raise MemoryError("in the solver")

    monkeypatch.setattr("strategies.objective.solved", fails)
    target = ask(strategy, market(make_readings(price=1_600)))
    assert target.lane is Lane.PROTECTIVE
    assert not target.hold
    assert asked_for == []
    calm = ask(strategy, market())
    assert calm.hold
    assert NO_DECISION in calm.reason
    assert "in the solver" in calm.reason
    assert asked_for


def test_without_a_forecast_only_guards_act_where_the_scenarios_need_one() -> None:
    seen = replace(outlook(), volatility=None)
    held = ask(objective(made_at=0.7), market(seen=seen))
    assert held.hold
    assert "no forecast" in held.reason
    assert not ask(objective(), market(seen=seen)).hold


def weights_of(**given: Any) -> dict[str, float]:
    answer = objective(**given).answer()
    assert isinstance(answer, Allocation)
    return dict(answer.weights)


def test_every_stated_constraint_reaches_the_solver() -> None:
    """Each alone binds, at the weights that a hand finds."""
    free = {"most": (), "names": ("calls", "puts")}
    assert weights_of(**free) == pytest.approx({"calls": 1.0, "puts": 0.0})
    assert sum(weights_of(reserve=0.3, **free).values()) == pytest.approx(0.7)
    assert weights_of(least=(0.0, 0.2), **free) == pytest.approx({"calls": 0.8, "puts": 0.2})
    assert weights_of(most=(0.3, 0.4)) == pytest.approx({"calls": 0.3, "puts": 0.4})
    at = {"venues": ("desk", ""), "most_per_venue": 0.4}
    assert weights_of(**at, **free) == pytest.approx({"calls": 0.4, "puts": 0.6})
    assert weights_of(least_delta=-1.0, most_delta=0.25, deltas=(1.0, 0.0), **free) == (
        pytest.approx({"calls": 0.25, "puts": 0.75})
    )
    # collateral of both against twice the debt of one: calls + puts >= 2 x calls
    owing = {"collaterals": (1.0, 1.0), "debts": (1.0, 0.0), "venues": ("bank", "bank")}
    assert weights_of(**owing, least_health=2.0, **free) == pytest.approx(
        {"calls": 0.5, "puts": 0.5}
    )


def test_guards_are_heard_before_the_parts_and_hedges_after_them() -> None:
    def wants(delta: int) -> Wants:
        return Wants(replace(HOLD, net_delta=ether(delta)))

    calls, puts = (Wants(replace(HOLD, net_delta=ether(d))) for d in (50, 51))
    plain = {"parts": (calls, puts), "names": ("a", "b")}
    guarded = objective(guards=(wants(11),), hedges=(wants(12),), **plain)
    assert ask(guarded, market()).net_delta == ether(11)
    hedged = objective(hedges=(wants(12),), **plain)
    assert ask(hedged, market()).net_delta != ether(12)
    resting = objective(hedges=(wants(12),), parts=(Wants(HOLD), Wants(HOLD)), names=("a", "b"))
    assert ask(resting, market()).net_delta == ether(12)


def test_a_guard_that_acts_without_protecting_is_heard_where_nothing_is_feasible() -> None:
    wide = Wants(replace(HOLD, health_wad=wad(2.5)))
    strategy = objective(es_limit=0.001, least_return=0.08, guards=(wide,))
    assert ask(strategy, market()).health_wad == wad(2.5)


def test_a_part_without_weight_gives_up_its_own_positions_and_no_others() -> None:
    call = OptionTarget(True, wad(2_300), NOW + 10 * 86_400, -ether(40))
    calls = Wants(replace(HOLD, options=(call,)), "written calls")
    short = Wants(replace(HOLD, perpetuals=(PerpetualTarget("perp", -ether(30)),)), "perpetuals")
    strategy = objective(parts=(calls, short), expected_returns=(0.1, -0.1), most=(1.0, 1.0))
    held = with_positions(vault(), position(strike=2_300, days=10, written=40))
    target = ask(strategy, market(held, holdings=(perpetual(-30),)))
    assert [one.quantity for one in target.perpetuals or ()] == [0]
    assert all(o.quantity == -ether(40) for o in written_of(target))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"names": ("calls",)}, "names"),
        ({"losses": LOSSES[:1]}, "losses"),
        ({"most": (1.0,)}, "most"),
        ({"goal": "fame"}, "goal"),
        ({"parts": ()}, "part"),
        ({"parts": (CALLS, CALLS)}, "written calls"),
        ({"es_limit": -1.0}, "es_limit"),
    ],
)
def test_what_cannot_be_meant_is_refused_when_it_is_stated(wrong: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        objective(**wrong)


def test_in_a_backtest_it_trades_within_its_weights_and_the_books_are_exact() -> None:
    from keeper.backtest.events import VolatilityEvent
    from keeper.backtest.spec import Holdings
    from keeper.model.units import WAD

    events = walk(60, 3, 0.005)
    volatility = VolatilityEvent(events[0].time, WAD * 8 // 10)
    world = replace(spec(None), holdings=Holdings(500_000 * 10**6, 200 * 10**18))
    result = run([volatility, *events], objective(es_limit=0.02), world)
    assert result.attribution.exact
    assert result.transactions
    written = [f.quantity for f in result.fills]
    assert written


# ------------------------------------------------------------------------------------ a file of candidates


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project's own entry points as this checkout declares them."""
    points = {
        "objective": "strategies.objective:Objective",
        "covered_call": "strategies.covered_call:CoveredCall",
        "cash_secured_put": "strategies.cash_secured_put:CashSecuredPut",
    }
    install(tmp_path / "there", "gimbal", "gimbal.strategies", points)
    monkeypatch.syspath_prepend(str(tmp_path / "there"))
    return tmp_path


def candidates(folder: Path, **changed: Any) -> str:
    rows = [
        {
            "name": name,
            "strategy": {"name": entry, "parameters": {"window_hours": 0}},
            "expected_return": earns,
            "losses": list(losses),
            "exposures": {"delta": 0.5},
            "most": 0.7,
        }
        for name, entry, earns, losses in (
            ("calls", "covered_call", 0.12, LOSSES[0]),
            ("puts", "cash_secured_put", 0.08, LOSSES[1]),
        )
    ]
    rows[0].update(changed)
    file = folder / "candidates.json"
    file.write_text(json.dumps(rows))
    return str(file)


def test_a_file_of_candidates_is_the_same_as_its_parameters(installed: Path) -> None:
    given = {"candidates": candidates(installed), "most_delta": 0.4}
    loaded: Any = load_strategy("objective", given)
    assert loaded.names == ("calls", "puts")
    assert loaded.parts == (CALLS, PUTS)
    assert loaded.losses == LOSSES
    assert loaded.deltas == (0.5, 0.5)
    answer = loaded.answer()
    assert sum(dict(answer.weights).values()) == pytest.approx(0.8)  # 0.4 of delta
    # what the journal records needs no file
    _, parameters = recorded(loaded)
    assert load_strategy("objective", parameters or {}) == loaded


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"strategy": None}, "names no strategy"),
        ({"losses": [0.1]}, "scenarios"),
        ({"exposures": {"vega": 1.0}}, "vega"),
        ({"return": 1}, "unknown field"),
    ],
)
def test_a_file_that_cannot_be_meant_names_the_fault(
    installed: Path, changed: Any, says: str
) -> None:
    with pytest.raises(SettingError, match=says):
        load_strategy("objective", {"candidates": candidates(installed, **changed)})
    with pytest.raises(SettingError, match="cannot be read"):
        load_strategy("objective", {"candidates": str(installed / "nowhere.json")})


def test_it_is_one_of_the_catalogue() -> None:
    assert isinstance(EVERY["objective"], Objective)
