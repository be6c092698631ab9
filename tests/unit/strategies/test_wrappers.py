"""Wrappers make another strategy smaller or later, never larger, and never touch protection."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.model.decision import (
    NO_DECISION,
    Lane,
    OptionTarget,
    PerpetualTarget,
    SupplyTarget,
    Target,
)
from keeper.model.market import MarketState
from keeper.model.risk import RiskReport
from keeper.model.units import Raw, Wad
from strategies.basis_funding import BasisFunding
from strategies.cash_secured_put import CashSecuredPut
from strategies.collateral_guard import CollateralGuard
from strategies.composite import Composite
from strategies.covered_call import CoveredCall
from strategies.delta_hedge import DeltaHedge
from strategies.drawdown_throttle import DrawdownThrottle
from strategies.gas_throttle import GasThrottle
from strategies.parts.stress import stress_loss
from strategies.short_strangle import ShortStrangle
from strategies.volatility_target import VolatilityTarget
from tests.builders import ASSET, NOW, ether, make_readings, wad
from tests.unit.strategies.worlds import (
    ask,
    judged,
    market,
    outlook,
    perpetual,
    position,
    vault,
    with_positions,
    written_of,
)

CALLS = CoveredCall(window_hours=0)
PUTS = CashSecuredPut(window_hours=0)


class Says:
    """A strategy that says what it is told to."""

    def __init__(self, target: Target, *claims: str) -> None:
        self.target, self.claims = target, claims

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        return self.target


class Rests:
    """Wants a call written and a short while it has none of them, and then nothing more."""

    claims = ("written calls", "perpetuals")

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        if market.readings.options.positions or market.holdings:
            return HOLD
        call = OptionTarget(True, wad(2_300), NOW + 10 * 86_400, -ether(80))
        return replace(HOLD, options=(call,), perpetuals=(PerpetualTarget("perp", -ether(40)),))


HOLD = Target(Lane.ROUTINE, None, None, "calm")
PROTECT = Target(Lane.PROTECTIVE, wad(1.5), None, "danger")


def wrappers(inner: Any) -> tuple[Any, ...]:
    return (VolatilityTarget(inner), DrawdownThrottle(inner, unwind=True), GasThrottle(inner))


STORM = outlook(volatility=3.0, drawdown=0.19, base_fee_wei=10**13)


@pytest.mark.parametrize("wrapper", wrappers(Says(PROTECT)))
@pytest.mark.parametrize("seen", [STORM, replace(STORM, volatility=None, drawdown=None)])
def test_protection_passes_whatever_is_dear_volatile_or_unknown(wrapper: Any, seen: Any) -> None:
    assert ask(wrapper, market(seen=seen)) == PROTECT


@pytest.mark.parametrize("inner", [None, 7, "covered_call"])
def test_something_that_is_no_strategy_is_not_wrapped(inner: Any) -> None:
    for cls in (VolatilityTarget, DrawdownThrottle, GasThrottle):
        with pytest.raises(ValueError, match="needs a strategy"):
            cls(inner)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.05, 5.0), st.floats(0.0, 2.0))
def test_a_higher_forecast_never_makes_it_larger(forecast: float, more: float) -> None:
    def calls(at: float) -> float:
        found = market(seen=outlook(volatility=at))
        written = written_of(ask(VolatilityTarget(CALLS, 0.6), found))
        return -sum(one.quantity for one in written) / 1e18

    assert calls(forecast + more) <= calls(forecast)
    assert calls(forecast) == pytest.approx(100 * min(1.0, 0.6 / forecast), rel=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1))
def test_a_deeper_drawdown_never_makes_it_larger(one: float, other: float) -> None:
    throttle = DrawdownThrottle(CALLS, 0.05, 0.20)
    low, high = sorted((one, other))
    assert throttle.factor(high) <= throttle.factor(low)
    assert throttle.factor(0.05) == 1.0
    assert throttle.factor(0.20) == 0.0
    found = written_of(ask(throttle, market(seen=outlook(drawdown=high))))
    assert -sum(o.quantity for o in found) <= ether(100) * throttle.factor(high) * (1 + 1e-5)


def test_a_throttle_reduces_what_is_held_only_if_told_to() -> None:
    readings = with_positions(vault(), position(written=80))
    found = market(readings, seen=outlook(drawdown=0.125), holdings=(perpetual(-40),))
    rests = DrawdownThrottle(Rests())
    assert ask(rests, found) == HOLD
    target = ask(DrawdownThrottle(Rests(), unwind=True), found)
    assert [one.quantity for one in written_of(target)] == pytest.approx([-ether(40)])
    assert (target.perpetuals or ())[0].quantity == pytest.approx(-ether(20))


def test_past_the_stop_everything_goes_whatever_the_inner_strategy_says() -> None:
    readings = with_positions(vault(), position(written=80))
    found = market(readings, seen=outlook(drawdown=0.5), holdings=(perpetual(-40),))
    target = ask(DrawdownThrottle(Says(HOLD), unwind=True), found)
    assert target.options == ()
    assert [one.quantity for one in target.perpetuals or ()] == [0]


def test_what_is_a_little_too_large_is_left() -> None:
    found = market(seen=outlook(volatility=0.66), holdings=(perpetual(-40),))
    assert ask(VolatilityTarget(Rests(), 0.6), found) == HOLD
    shrunk = ask(VolatilityTarget(Rests(), 0.6, tolerance=0.05), found)
    assert (shrunk.perpetuals or ())[0].quantity == pytest.approx(-ether(40 * 0.6 / 0.66), rel=1e-5)


@pytest.mark.parametrize("volatility", [0.7, 0.9, 1.5, 4.0])
def test_what_was_reduced_once_is_not_reduced_again(volatility: float) -> None:
    """The size is a part of what the inner strategy wants, not of what the last tick left."""
    held = 40.0
    for _ in range(5):
        found = market(seen=outlook(volatility=volatility), holdings=(perpetual(-held),))
        target = ask(VolatilityTarget(Rests(), 0.6), found)
        if target.perpetuals:
            held = -target.perpetuals[0].quantity / 1e18
    least = 40 * 0.6 / volatility
    assert least * (1 - 1e-5) <= held <= least * 1.25


def test_where_the_inner_strategys_own_size_is_not_known_nothing_is_reduced() -> None:
    found = market(seen=outlook(volatility=3.0), holdings=(perpetual(-40),))
    assert ask(VolatilityTarget(Says(HOLD), 0.6), found) == HOLD


@given(
    st.integers(-(10**21), 10**21), st.integers(-(10**21), 10**21), st.floats(0, 1), st.booleans()
)
@settings(max_examples=100, deadline=None)
def test_a_scaled_size_lies_between_nothing_and_what_was_wanted(
    wanted: int, held: int, factor: float, unwind: bool
) -> None:
    inner = Says(replace(HOLD, perpetuals=(PerpetualTarget("perp", wanted),)))
    found = market(seen=outlook(drawdown=0.2 - 0.15 * factor), holdings=(perpetual(held / 1e18),))
    target = ask(DrawdownThrottle(inner, unwind=unwind), found)
    (one,) = target.perpetuals or ()
    assert min(0, wanted) <= one.quantity <= max(0, wanted)


def test_levering_up_is_scaled_in_debt_over_equity() -> None:
    readings = make_readings(supplied_base=1_500, debt_asset=1_000_000)
    lever = Says(replace(HOLD, health_wad=wad(1.6)))
    found = market(readings, seen=outlook(drawdown=0.125))
    target = ask(DrawdownThrottle(lever, 0.05, 0.20), found)
    # Debt over equity at 1.6 is 0.83 / 0.77; half of it is health 0.83 + 0.77 x 2.
    assert target.health_wad is not None
    assert target.health_wad / 1e18 == pytest.approx(0.83 + 0.77 * 2, rel=1e-5)
    safer = Says(replace(HOLD, health_wad=wad(3.0)))
    assert ask(DrawdownThrottle(safer, 0.05, 0.20), found).health_wad == wad(3.0)


@pytest.mark.parametrize(
    ("gwei", "tokens", "passes"),
    [(10, 0.01, True), (100, 0.01, False), (100, 80, True), (200, 80, False)],
)
def test_dear_gas_stops_small_changes_and_very_dear_gas_all(
    gwei: float, tokens: float, passes: bool
) -> None:
    """600,000 gas at 100 gwei cost 120 dollars, a thousandth of 120,000."""
    base = judged(market())[1].net_delta
    inner = Says(replace(HOLD, net_delta=Raw(base - ether(tokens))))
    seen = outlook(base_fee_wei=int(gwei * 10**9))
    assert ask(GasThrottle(inner), market(seen=seen)).hold is not passes


# Composite


def test_parts_speak_for_their_own_positions_only() -> None:
    target = ask(Composite((CALLS, PUTS)), market())
    assert {one.is_call for one in written_of(target)} == {True, False}
    running = market(with_positions(vault(), position(strike=2_300, written=10)))
    both = written_of(ask(Composite((CALLS, PUTS)), running))
    assert {(o.is_call, o.quantity) for o in both if o.is_call} == {(True, -ether(10))}
    assert any(not o.is_call for o in both)


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ((CALLS, ShortStrangle()), "written calls"),
        ((DeltaHedge(venue="perp"), BasisFunding()), "perpetual"),
        ((BasisFunding(), DeltaHedge(venue="perp")), "perpetual perp"),
        ((VolatilityTarget(CALLS), CALLS), "written calls"),
    ],
)
def test_two_parts_may_not_claim_one_thing(parts: tuple[Any, ...], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Composite(parts)


@pytest.mark.parametrize("budgets", [(0.1,), (-1.0, 0.1), (math.nan, 0.1)])
def test_budgets_that_are_none_are_refused(budgets: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="budget"):
        Composite((CALLS, PUTS), budgets)
    with pytest.raises(ValueError, match="at least one"):
        Composite(())


def test_the_highest_protection_is_the_whole_answer() -> None:
    more = replace(PROTECT, health_wad=wad(2.0))
    parts = (Says(PROTECT), CALLS, Says(more))
    found = ask(Composite(parts), market())
    assert replace(found, owners=()) == more
    assert [owner.who for owner in found.owners] == ["Says 3"]
    assert ask(Composite((CollateralGuard(), CALLS)), market(make_readings(price=1_600))).lane is (
        Lane.PROTECTIVE
    )


def test_the_first_part_that_says_something_of_delta_is_heard() -> None:
    first = Says(replace(HOLD, net_delta=Raw(1)))
    second = Says(replace(HOLD, net_delta=Raw(2), health_wad=Wad(3 * 10**18)))
    target = ask(Composite((Says(HOLD), first, second)), market())
    assert target.net_delta == 1
    assert target.health_wad == 3 * 10**18


def test_what_a_part_does_not_claim_it_does_not_get() -> None:
    greedy = Says(replace(HOLD, perpetuals=(PerpetualTarget("perp", -1),)))
    assert "does not claim" in ask(Composite((greedy,)), market()).reason
    target = ask(Composite((greedy, CALLS)), market())
    assert target.perpetuals is None
    assert written_of(target)


def test_supplies_belong_to_the_part_that_claims_them() -> None:
    lent = replace(HOLD, supplies=(SupplyTarget("lending", ASSET, Raw(10**9)),))
    assert "does not claim" in ask(Composite((Says(lent),)), market()).reason
    assert ask(Composite((Says(lent, "supplies"),)), market()).supplies == lent.supplies


def test_what_a_part_stops_wanting_goes_and_what_it_does_not_claim_stays() -> None:
    held = with_positions(
        vault(),
        position(strike=2_300, days=10, written=10),
        position(is_call=False, strike=1_700, days=10, written=20),
    )
    none = Says(replace(HOLD, options=()), "written calls")
    target = ask(Composite((none, Says(HOLD, "written puts"))), market(held))
    assert [(o.is_call, o.quantity) for o in target.options or ()] == [(False, -ether(20))]


def test_a_decision_that_is_missing_is_told_beside_one_that_is_made() -> None:
    lost = Says(replace(HOLD, reason=f"{NO_DECISION}: nothing is known"))
    acts = Says(replace(HOLD, net_delta=Raw(1), reason="hedge"))
    reason = ask(Composite((lost, acts, Says(HOLD))), market()).reason
    assert "nothing is known" in reason
    assert "hedge" in reason
    assert "calm" not in reason


def test_an_owner_is_named_once_for_what_the_first_that_spoke_asked() -> None:
    parts = (
        Says(HOLD),
        Says(replace(HOLD, net_delta=Raw(1))),
        Says(replace(HOLD, net_delta=Raw(2))),
    )
    owners = ask(Composite(parts), market()).owners
    assert [(one.what, one.who) for one in owners] == [("net delta", "Says 2")]


@settings(max_examples=15, deadline=None)
@given(st.floats(0.0005, 0.2), st.floats(0.05, 0.5), st.floats(0, 1))
def test_a_budget_bounds_the_loss_in_the_stress(budget: float, move: float, rise: float) -> None:
    found = market()
    composite = Composite(
        (CALLS, PUTS), (budget, budget), stress_price=move, stress_volatility=rise
    )
    target = ask(composite, found)
    for part in (CALLS, PUTS):
        mine = stress_loss(*judged(found), part.claims, target, (move, rise))
        assert mine is not None
        assert mine <= budget * 500_000 * (1 + 1e-6)


def test_a_budget_sells_nothing_of_what_is_held_already() -> None:
    call = OptionTarget(True, wad(2_300), NOW + 10 * 86_400, -ether(80))
    wants = Says(replace(HOLD, options=(call,)), "written calls")
    held = with_positions(vault(), position(strike=2_300, days=10, written=80))
    target = ask(Composite((wants,), (0.001,)), market(held))
    assert [one.quantity for one in written_of(target)] == [-ether(80)]
    (fresh,) = written_of(ask(Composite((wants,), (0.001,)), market()))
    assert -ether(40) < fresh.quantity < 0


def test_a_budget_is_used_in_full_and_reached_for_good() -> None:
    """Scaled once, not at every tick: a second look at what was done asks for nothing more."""
    found = market()
    composite = Composite((CALLS,), (0.01,))
    (call,) = written_of(ask(composite, found))
    loss = stress_loss(*judged(found), CALLS.claims, ask(composite, found), (0.2, 0.5))
    assert loss == pytest.approx(0.01 * 500_000, rel=1e-4)
    done = position(strike=call.strike_wad / 1e18, written=-call.quantity / 1e18, days=9)
    after = ask(composite, market(with_positions(vault(), done)))
    assert after.hold


@pytest.mark.parametrize(
    ("spot", "short", "loss"), [(0, 50, 20_000), (50, 50, 0), (0, -50, 20_000)]
)
def test_the_stress_nets_a_perpetual_with_the_base_bought_for_it(
    spot: float, short: float, loss: float
) -> None:
    """Fifty ether alone lose 20,000 dollars when 2,000 move by a fifth, whichever way; hedged they lose nothing."""
    found = market()
    now = judged(found)[1].net_delta
    wanted = replace(
        HOLD,
        net_delta=Raw(now + ether(spot)),
        perpetuals=(PerpetualTarget("perp", -ether(short)),),
    )
    lost = stress_loss(*judged(found), ("perpetuals",), wanted, (0.2, 0.5))
    assert lost == pytest.approx(loss)


def test_base_bought_against_written_calls_offsets_them_in_the_stress() -> None:
    """Together they lose less than either alone, and only in a fall."""
    found = market()
    call = OptionTarget(True, wad(2_000), NOW + 10 * 86_400, -ether(50))
    bought = Raw(judged(found)[1].net_delta + ether(50))

    def lost(target: Target) -> float:
        loss = stress_loss(*judged(found), CALLS.claims, target, (0.2, 0.5))
        assert loss is not None
        return loss

    alone = lost(replace(HOLD, options=(call,)))
    base = lost(replace(HOLD, net_delta=bought))
    assert lost(replace(HOLD, options=(call,), net_delta=bought)) < min(alone, base)
