"""The guard gives every reason why the vault, or the keeper's own rules, would refuse a plan."""

from dataclasses import replace

import pytest

from keeper.guard import check
from keeper.model.decision import Lane, Move, MoveKind, Plan, Target
from keeper.model.market import Readings
from keeper.model.policy import GuardPolicy
from keeper.model.units import MAX_UINT256, Raw
from keeper.planning import make_plan
from keeper.risk import assess
from tests.builders import (
    ASSET,
    BASE,
    LENDING,
    SWAPPER,
    dollars,
    ether,
    guard_policy,
    make_limits,
    make_market,
    make_readings,
    planning_policy,
    wad,
)

OTHER = "0x" + "0f" * 20


def lend(kind: MoveKind, token: str, amount: int) -> Move:
    return Move(kind, LENDING, token, Raw(amount), Raw(0))


def swap(token: str, amount: int, min_out: int) -> Move:
    return Move(MoveKind.SWAP, SWAPPER, token, Raw(amount), Raw(min_out))


def plan_of(
    *moves: Move,
    lane: Lane = Lane.ROUTINE,
    max_loss: float = 100,
    expected_loss: float = 0,
    trades_price: bool = True,
) -> Plan:
    return Plan(
        lane=lane,
        moves=moves,
        reason="a test",
        expected_health_wad=wad(1),
        expected_net_delta=Raw(0),
        expected_loss=dollars(expected_loss),
        max_loss=dollars(max_loss),
        gas_limit_estimate=1,
        trades_price=trades_price,
    )


DELEVERAGE = (
    lend(MoveKind.WITHDRAW, BASE, ether(50)),
    swap(BASE, ether(50), dollars(99_500)),
    lend(MoveKind.REPAY, ASSET, dollars(99_500)),
)
BORROW = lend(MoveKind.BORROW, ASSET, dollars(10_000))


def rules(
    plan: Plan,
    readings: Readings | None = None,
    policy: GuardPolicy | None = None,
    faults: tuple[str, ...] = (),
) -> set[str]:
    market = make_market(readings or make_readings(), faults=faults)
    verdict = check(plan, market, policy or guard_policy())
    assert verdict.passed == (not verdict.refusals)
    assert all(refusal.message for refusal in verdict.refusals)
    return {refusal.rule for refusal in verdict.refusals}


def test_passes_a_sound_plan() -> None:
    assert rules(plan_of(*DELEVERAGE)) == set()


def test_an_empty_plan_has_nothing_against_it() -> None:
    assert rules(plan_of(), make_readings(keeper_allowed=False)) == set()


def test_passes_what_planning_makes() -> None:
    market = make_market()
    target = Target(Lane.PROTECTIVE, wad(1.45), None, "wanted")
    plan = make_plan(market, assess(market), target, planning_policy())
    assert rules(plan) == set()


# ------------------------------------------------------------------ access and shape


def test_refuses_a_keeper_the_vault_does_not_know() -> None:
    assert rules(plan_of(*DELEVERAGE), make_readings(keeper_allowed=False)) == {"keeper"}


def test_refuses_an_unreadable_venue() -> None:
    readings = replace(make_readings(), venue_readable=False)
    assert "venue" in rules(plan_of(*DELEVERAGE), readings, faults=("venue",))


@pytest.mark.parametrize(
    ("move", "rule"),
    [
        (replace(lend(MoveKind.REPAY, ASSET, 1), adapter=SWAPPER), "adapter"),
        (replace(swap(BASE, 1, 1), adapter=LENDING), "adapter"),
        (lend(MoveKind.REPAY, ASSET, 0), "amount"),
        (lend(MoveKind.SUPPLY, ASSET, MAX_UINT256 + 1), "amount"),
        (swap(ASSET, 100, -1), "amount"),
        (lend(MoveKind.SUPPLY, OTHER, 1), "token"),
        (lend(MoveKind.SUPPLY, ASSET, dollars(51)), "impossible-move"),
        (lend(MoveKind.REPAY, BASE, 1), "impossible-move"),
    ],
)
def test_refuses_a_malformed_move(move: Move, rule: str) -> None:
    assert rule in rules(plan_of(move), make_readings(idle_asset=50, idle_base=1))


@pytest.mark.parametrize(
    "move",
    [
        lend(MoveKind.SUPPLY, BASE, MAX_UINT256),
        lend(MoveKind.REPAY, ASSET, MAX_UINT256),
        lend(MoveKind.WITHDRAW, ASSET, MAX_UINT256),
        swap(BASE, MAX_UINT256, 0),
    ],
)
def test_refuses_to_move_all_of_nothing(move: Move) -> None:
    assert rules(plan_of(move), make_readings(idle_asset=0, idle_base=0)) == {"amount"}


def test_passes_moving_all_of_something() -> None:
    plan = plan_of(lend(MoveKind.REPAY, ASSET, MAX_UINT256), max_loss=0, trades_price=False)
    assert rules(plan, make_readings(idle_asset=50)) == set()


@pytest.mark.parametrize(
    ("move", "refused"),
    [
        (lend(MoveKind.SUPPLY, ASSET, dollars(50)), True),
        (BORROW, True),
        (lend(MoveKind.REPAY, ASSET, dollars(50)), False),
        (lend(MoveKind.WITHDRAW, BASE, ether(1)), False),
    ],
)
def test_a_frozen_reserve_takes_no_supply_and_gives_no_loan(move: Move, refused: bool) -> None:
    readings = make_readings(idle_asset=50, frozen=True)
    assert rules(plan_of(move), readings) == ({"frozen"} if refused else set())


# ------------------------------------------------------------------ the mandate


def test_refuses_price_exposure_at_an_unusable_price() -> None:
    assert rules(plan_of(*DELEVERAGE), faults=("stale",)) == {"price"}


def test_passes_repaying_from_idle_at_an_unusable_price() -> None:
    plan = plan_of(
        lend(MoveKind.REPAY, ASSET, dollars(100)),
        lane=Lane.PROTECTIVE,
        max_loss=0,
        trades_price=False,
    )
    assert rules(plan, make_readings(idle_asset=100), faults=("stale",)) == set()


def test_does_not_believe_a_plans_own_label() -> None:
    plan = plan_of(*DELEVERAGE, trades_price=False)
    assert rules(plan) == {"mislabelled"}
    assert rules(plan, faults=("stale",)) == {"mislabelled", "price"}


@pytest.mark.parametrize("lane", list(Lane))
@pytest.mark.parametrize("caution", [True, False])
def test_the_keepers_own_caution_about_prices_binds_routine_plans_only(
    lane: Lane, caution: bool
) -> None:
    market = replace(make_market(faults=("apart",)), cautions=("apart",) if caution else ())
    found = {
        r.rule for r in check(plan_of(*DELEVERAGE, lane=lane), market, guard_policy()).refusals
    }
    assert ("price" in found) is not (caution and lane is Lane.PROTECTIVE)


def test_refuses_an_end_under_the_minimum_and_lower_than_before() -> None:
    readings = make_readings(limits=make_limits(min_health=1.24))
    assert rules(plan_of(BORROW), readings) == {"min-health"}


def test_passes_an_end_under_the_minimum_that_is_higher_than_before() -> None:
    """V-05: the way out from below leads through a lower health between the moves."""
    readings = make_readings(limits=make_limits(min_health=1.5))
    assert rules(plan_of(*DELEVERAGE), readings) == set()


def test_refuses_an_end_under_the_minimum_that_is_just_where_it_was() -> None:
    """A loan repaid at once changes nothing, and nothing is not better."""
    readings = make_readings(limits=make_limits(min_health=1.5))
    moves = (BORROW, lend(MoveKind.REPAY, ASSET, dollars(10_000)))
    assert rules(plan_of(*moves), readings) == {"min-health"}


def test_what_a_swap_may_fall_short_of_is_not_repaid_with() -> None:
    """The walk goes on with the least output, to the unit."""
    sells = DELEVERAGE[:2]
    assert rules(plan_of(*sells, lend(MoveKind.REPAY, ASSET, dollars(99_500)))) == set()
    more = lend(MoveKind.REPAY, ASSET, dollars(99_500) + 1)
    assert rules(plan_of(*sells, more)) == {"impossible-move"}


def test_refuses_a_step_that_the_venue_refuses() -> None:
    deep = (
        lend(MoveKind.WITHDRAW, BASE, ether(300)),
        swap(BASE, ether(300), dollars(597_000)),
        lend(MoveKind.REPAY, ASSET, dollars(597_000)),
    )
    assert rules(plan_of(*deep)) == {"venue-health"}


def test_refuses_a_loan_over_the_venues_loan_to_value() -> None:
    readings = make_readings(limits=make_limits(min_health=1.02))
    plan = plan_of(lend(MoveKind.BORROW, ASSET, dollars(416_000)))
    assert rules(plan, readings) == {"venue-ltv"}


@pytest.mark.parametrize(("least", "refused"), [(98_000, False), (97_999, True)])
def test_holds_a_swap_to_the_mandates_bound(least: float, refused: bool) -> None:
    moves = (DELEVERAGE[0], swap(BASE, ether(50), dollars(least)))
    found = rules(plan_of(*moves, lend(MoveKind.REPAY, ASSET, dollars(90_000))))
    assert found == ({"swap-loss"} if refused else set())


def test_refuses_debt_over_the_borrow_ratio_only_if_debt_rises() -> None:
    readings = make_readings(limits=make_limits(max_borrow_bps=6_000))
    assert rules(plan_of(BORROW), readings) == {"borrow-ratio"}
    assert rules(plan_of(*DELEVERAGE), readings) == set()


def test_refuses_a_loan_against_nothing() -> None:
    readings = make_readings(supplied_base=0, debt_asset=0)
    moves = (BORROW, swap(ASSET, dollars(10_000), ether(5)), lend(MoveKind.SUPPLY, BASE, ether(5)))
    assert {"venue-health", "venue-ltv"} <= rules(plan_of(*moves), readings)


@pytest.mark.parametrize(
    ("changes", "max_loss", "rule"),
    [
        ({"limits": make_limits(max_loss_bps=10)}, 1_001, "max-loss"),
        ({"loss_budget_left": 1_000}, 1_001, "loss-budget"),
    ],
)
def test_refuses_a_loss_over_the_mandate(
    changes: dict[str, object], max_loss: float, rule: str
) -> None:
    readings = make_readings(**changes)  # type: ignore[arg-type]
    assert rules(plan_of(*DELEVERAGE, max_loss=max_loss), readings) == {rule}
    assert rules(plan_of(*DELEVERAGE, max_loss=max_loss - 1), readings) == set()


def test_refuses_a_loss_over_the_keepers_own_limit() -> None:
    policy = guard_policy(max_loss_bps=10)
    assert rules(plan_of(*DELEVERAGE, max_loss=1_001), policy=policy) == {"keeper-max-loss"}
    assert rules(plan_of(*DELEVERAGE, max_loss=1_000), policy=policy) == set()
    protects = replace(plan_of(*DELEVERAGE, max_loss=1_001), lane=Lane.PROTECTIVE)
    assert "keeper-max-loss" not in rules(protects, policy=policy)


def test_refuses_a_plan_that_expects_more_loss_than_it_accepts() -> None:
    plan = plan_of(*DELEVERAGE, expected_loss=101, max_loss=100)
    assert rules(plan) == {"expected-loss"}


# ------------------------------------------------------------------ pause


@pytest.mark.parametrize(
    ("moves", "refused"),
    [
        ((lend(MoveKind.REPAY, ASSET, dollars(100)),), False),
        ((lend(MoveKind.SUPPLY, BASE, ether(1)),), False),
        (DELEVERAGE, False),
        ((BORROW,), True),
        ((lend(MoveKind.WITHDRAW, BASE, ether(1)),), True),
        ((swap(BASE, ether(1), dollars(1_990)),), False),
        ((swap(ASSET, dollars(1_010), ether(0.502)),), True),
        ((*DELEVERAGE, swap(ASSET, dollars(1_010), ether(0.502))), True),
    ],
)
def test_only_reducing_plans_pass_under_pause(moves: tuple[Move, ...], refused: bool) -> None:
    readings = make_readings(paused=True, idle_asset=1_100, idle_base=1)
    assert rules(plan_of(*moves), readings) == ({"paused"} if refused else set())


def test_under_pause_no_debt_may_rise_though_the_debts_together_fall() -> None:
    """Each token for itself: dollars repaid do not pay for ether borrowed."""
    readings = make_readings(paused=True, idle_asset=10_000)
    moves = (
        lend(MoveKind.REPAY, ASSET, dollars(10_000)),
        lend(MoveKind.BORROW, BASE, ether(1)),
    )
    market = make_market(readings)
    verdict = check(plan_of(*moves), market, guard_policy())
    assert "debt of the base rises" in " ".join(refusal.message for refusal in verdict.refusals)


def test_nothing_is_supplied_under_pause_that_secures_no_debt() -> None:
    readings = make_readings(paused=True, idle_asset=100, debt_asset=0)
    plan = plan_of(lend(MoveKind.SUPPLY, ASSET, dollars(100)), trades_price=False)
    assert rules(plan, readings) == {"paused"}


# ------------------------------------------------------------------ gas


@pytest.mark.parametrize(
    ("changes", "rule"),
    [({"base_fee_gwei": 101}, "base-fee"), ({"keeper_balance_eth": 0.049}, "keeper-balance")],
)
def test_gas_rules_bind_the_routine_lane_only(changes: dict[str, float], rule: str) -> None:
    readings = make_readings(**changes)  # type: ignore[arg-type]
    assert rules(plan_of(*DELEVERAGE), readings) == {rule}
    assert rules(plan_of(*DELEVERAGE, lane=Lane.PROTECTIVE), readings) == set()


def test_a_balance_and_a_base_fee_at_the_bound_pass() -> None:
    readings = make_readings(base_fee_gwei=100, keeper_balance_eth=0.05)
    assert rules(plan_of(*DELEVERAGE), readings) == set()


def test_gives_all_reasons_and_not_the_first() -> None:
    readings = make_readings(
        keeper_allowed=False,
        base_fee_gwei=1_000,
        loss_budget_left=0,
        limits=make_limits(max_borrow_bps=6_000, min_health=1.24),
    )
    found = rules(plan_of(BORROW), readings, faults=("stale",))
    assert found == {"keeper", "price", "min-health", "borrow-ratio", "loss-budget", "base-fee"}


def test_messages_carry_what_was_seen_and_the_bound() -> None:
    market = make_market(make_readings(loss_budget_left=10))
    verdict = check(plan_of(*DELEVERAGE), market, guard_policy())
    (refusal,) = verdict.refusals
    assert "100000000" in refusal.message
    assert "10000000" in refusal.message
