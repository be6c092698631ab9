"""Plans are made to fit the mandate: what it would refuse is cut, held or never planned."""

from dataclasses import replace

import pytest

from keeper.guard import check
from keeper.model.decision import Lane, MoveKind, Plan, Target
from keeper.model.ledger import Ledger
from keeper.model.market import Readings
from keeper.model.units import Raw
from keeper.planning import make_plan
from keeper.planning.state import delta_band
from keeper.risk import assess
from tests.builders import (
    NOW,
    dollars,
    ether,
    guard_policy,
    make_caps,
    make_limits,
    make_market,
    make_readings,
    planning_policy,
    wad,
)

SAFE = 1_700_000
"""Debt of the usual vault at a health of 1.46: room for re-levering."""


def routine(health: float) -> Target:
    return Target(Lane.ROUTINE, wad(health), None, "too safe")


def protective(health: float) -> Target:
    return Target(Lane.PROTECTIVE, wad(health), None, "too low")


def delta(base: float) -> Target:
    return Target(Lane.ROUTINE, None, Raw(ether(base)), "off target")


def plan_for(readings: Readings, target: Target) -> Plan:
    market = make_market(readings)
    plan = make_plan(market, assess(market), target, planning_policy())
    assert check(plan, market, guard_policy()).passed, "what is planned passes the guard"
    return plan


def bought(plan: Plan) -> int:
    return sum(m.limit for m in plan.moves if m.kind is MoveKind.SWAP)


# ------------------------------------------------------------------ what a routine plan waits for


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"caps": make_caps(cooldown_s=90), "last_routine_at": NOW - 60}, "cooldown lasts 30 s"),
        ({"caps": make_caps(max_oracle_age_s=59)}, "price is 60 s old"),
        ({"unhedged": True}, "holds less than the vault opened"),
        ({"winding_down": True}, "winding down"),
    ],
)
def test_a_routine_plan_waits_and_a_protective_one_never_does(
    changes: dict[str, object], why: str
) -> None:
    """K-05, V-08."""
    safe = make_readings(debt_asset=SAFE, **changes)  # type: ignore[arg-type]
    held = plan_for(safe, routine(1.3))
    assert held.empty
    assert why in held.reason
    assert plan_for(safe, delta(1_400)).empty
    endangered = make_readings(**changes)  # type: ignore[arg-type]
    assert not plan_for(endangered, protective(1.4)).empty


def test_after_the_cooldown_a_routine_plan_is_made() -> None:
    readings = make_readings(
        debt_asset=SAFE, caps=make_caps(cooldown_s=60), last_routine_at=NOW - 60
    )
    assert not plan_for(readings, routine(1.3)).empty


# ------------------------------------------------------------------ sizes


@pytest.mark.parametrize(("routine_left", "protective_left"), [(0, 50_000), (50_000, 0)])
def test_each_lane_is_sized_by_its_own_loss_bucket(
    routine_left: float, protective_left: float
) -> None:
    """V-04."""

    def of(debt: float) -> Readings:
        return make_readings(
            debt_asset=debt, loss_budget_left=routine_left, protective_left=protective_left
        )

    assert plan_for(of(SAFE), routine(1.3)).empty == (routine_left == 0)
    assert plan_for(of(2_000_000), protective(1.4)).empty == (protective_left == 0)


def test_routine_swaps_fit_the_turnover_that_is_left_and_protective_ones_need_none() -> None:
    whole = plan_for(make_readings(debt_asset=SAFE), routine(1.3))
    part = plan_for(make_readings(debt_asset=SAFE, turnover_left=0.1), routine(1.3))
    sold = sum(m.amount for m in part.moves if m.kind is MoveKind.SWAP)
    nav = Ledger.of(make_readings(debt_asset=SAFE)).nav_down()
    assert 0 < sold <= nav // 10
    assert bought(part) < bought(whole)
    assert plan_for(make_readings(debt_asset=SAFE, turnover_left=0), routine(1.3)).empty
    assert not plan_for(make_readings(turnover_left=0), protective(1.4)).empty


def test_re_levering_stops_at_the_venues_share() -> None:
    readings = make_readings(
        debt_asset=SAFE, idle_asset=400_000, caps=make_caps(max_venue_bps=8_900)
    )
    plan = plan_for(readings, routine(1.3))
    assert not plan.empty
    ledger = Ledger.of(readings)
    for move in plan.moves:
        ledger = ledger.apply(move, received=move.limit)
    assert ledger.collateral_scaled() * 10_000 <= 8_900 * ledger.gross_scaled()
    wider = replace_caps(readings, max_venue_bps=10_000)
    assert bought(plan_for(wider, routine(1.3))) > bought(plan)


def replace_caps(readings: Readings, **caps: int) -> Readings:
    mandate = readings.mandate
    terms = replace(mandate.terms, caps=make_caps(**caps))
    return replace(readings, mandate=replace(mandate, terms=terms))


# ------------------------------------------------------------------ delta band (V-06)


@pytest.mark.parametrize(
    ("target_bps", "band_bps", "wanted", "least", "most"),
    [
        (30_000, 2_000, 1_300, 1_399, 1_405),  # 2.8 times a million is 1,400 base
        (30_000, 2_000, 1_450, 1_449, 1_451),
        (20_000, 2_000, 1_000, 999, 1_001),
        (20_000, 2_000, 850, 899, 905),
        (20_000, 2_000, 1_600, 1_499, 1_501),  # farther from the target is not gone
    ],
)
def test_a_hedge_goes_as_far_as_the_mandates_band(
    target_bps: int, band_bps: int, wanted: float, least: float, most: float
) -> None:
    readings = make_readings(
        idle_asset=200_000,
        debt_asset=2_200_000,
        caps=make_caps(delta_target_bps=target_bps, delta_band_bps=band_bps),
    )
    plan = plan_for(readings, delta(wanted))
    assert ether(least) <= plan.expected_net_delta <= ether(most)


def test_protection_sells_no_more_than_the_band_allows() -> None:
    """V-06 holds for reducing moves too: the vault would refuse the rest."""
    whole = plan_for(make_readings(), protective(1.6))
    banded = make_readings(caps=make_caps(delta_target_bps=30_000, delta_band_bps=1_000))
    part = plan_for(banded, protective(1.6))
    assert not part.empty
    assert part.expected_net_delta >= ether(1_450)
    assert whole.expected_net_delta < ether(1_450)


@pytest.mark.parametrize(
    "changes", [{"winding_down": True}, {"limits": make_limits(min_health=1.3)}]
)
def test_protection_leaves_the_band_on_the_way_out(changes: dict[str, object]) -> None:
    """While winding down, and from under the minimum health."""
    narrow = make_caps(delta_target_bps=30_000, delta_band_bps=1_000)
    banded = make_readings(caps=narrow, **changes)  # type: ignore[arg-type]
    assert plan_for(banded, protective(1.6)).expected_net_delta < ether(1_450)


# ------------------------------------------------------------------ what counts as reducing (V-08)


@pytest.mark.parametrize(("target", "supplies"), [(4.1, True), (4.2, False), (6, False)])
@pytest.mark.parametrize("faults", [(), ("the feed is old",)])
def test_collateral_is_topped_up_where_it_protects_and_not_to_lend_it(
    target: float, supplies: bool, faults: tuple[str, ...]
) -> None:
    """The minimum is 1.05, so that from 4.2 on more collateral is lending; without a price the start counts."""
    readings = make_readings(idle_base=500, debt_asset=700_000, paused=True)
    assert readings.measure is not None
    if faults:
        readings = replace(readings, measure=replace(readings.measure, priced=False))
    market = make_market(readings, faults=faults)
    plan = make_plan(market, assess(market), protective(target), planning_policy())
    assert check(plan, market, guard_policy()).passed
    supplied = any(m.kind is MoveKind.SUPPLY for m in plan.moves)
    assert supplied == (supplies or bool(faults))


@pytest.mark.parametrize(
    ("target_bps", "band_bps", "max_loss", "low", "high"),
    [
        (0, 10_000, 0, -500, 500),
        (30_000, 5_000, 0, 1_250, 1_750),
        (30_000, 5_000, 10_000, 1_250, 1_732.5),
        (-30_000, 5_000, 10_000, -1_732.5, -1_250),
    ],
)
def test_the_band_is_drawn_in_for_what_may_be_lost(
    target_bps: int, band_bps: int, max_loss: float, low: float, high: float
) -> None:
    ledger = Ledger.of(make_readings())
    caps = make_caps(delta_target_bps=target_bps, delta_band_bps=band_bps)
    band = delta_band(ledger, caps, ledger.nav_down(), dollars(max_loss))
    assert band.low is not None
    assert band.high is not None
    assert (band.low, band.high + 1) == (ether(low), ether(high))


def test_without_a_price_there_is_no_band() -> None:
    ledger = Ledger.of(make_readings(price=0))
    assert delta_band(ledger, make_caps(), 0, 0).low is None
