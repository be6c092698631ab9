"""The guard judges a plan as `Mandate.close` judges what it comes to."""

from dataclasses import replace

import pytest

from keeper.guard import check
from keeper.guard.mandate import delta_gap_up, grown_risks
from keeper.guard.rehearsal import rehearse
from keeper.model.decision import Lane, Move, MoveKind, Plan
from keeper.model.ledger import Ledger
from keeper.model.market import NO_OPTIONS, Options, Readings
from keeper.model.units import Raw
from tests.builders import (
    ASSET,
    BASE,
    LENDING,
    NOW,
    SWAPPER,
    dollars,
    ether,
    guard_policy,
    make_caps,
    make_limits,
    make_market,
    make_readings,
    wad,
)


def lend(kind: MoveKind, token: str, amount: int) -> Move:
    return Move(kind, LENDING, token, Raw(amount), Raw(0))


def swap(token: str, amount: int, least: int) -> Move:
    return Move(MoveKind.SWAP, SWAPPER, token, Raw(amount), Raw(least))


def plan_of(*moves: Move, max_loss: float = 100, trades_price: bool = True) -> Plan:
    return Plan(
        lane=Lane.ROUTINE,
        moves=moves,
        reason="a test",
        expected_health_wad=wad(1),
        expected_net_delta=Raw(0),
        expected_loss=Raw(0),
        max_loss=dollars(max_loss),
        gas_limit_estimate=1,
        trades_price=trades_price,
    )


def rules(plan: Plan, readings: Readings) -> set[str]:
    return {r.rule for r in check(plan, make_market(readings), guard_policy()).refusals}


def grown_of(readings: Readings, *moves: Move) -> tuple[str, ...]:
    rehearsed = rehearse(plan_of(*moves), make_market(readings))
    return grown_risks(rehearsed, readings.limits.min_health_wad)


DELEVERAGE = (
    lend(MoveKind.WITHDRAW, BASE, ether(50)),
    swap(BASE, ether(50), dollars(99_500)),
    lend(MoveKind.REPAY, ASSET, dollars(99_500)),
)
LEVER = (
    lend(MoveKind.BORROW, ASSET, dollars(100_000)),
    swap(ASSET, dollars(100_000), ether(49.8)),
    lend(MoveKind.SUPPLY, BASE, ether(49.8)),
)
SHORT = make_readings(
    supplied_asset=3_000_000, supplied_base=0, debt_asset=0, debt_base=1_000, idle_asset=200_000
)


# ------------------------------------------------------------------ what reduces every risk (V-08)


@pytest.mark.parametrize(
    ("moves", "grown"),
    [
        (DELEVERAGE, ()),
        ((lend(MoveKind.REPAY, ASSET, dollars(50_000)),), ()),
        ((lend(MoveKind.SUPPLY, BASE, ether(5)),), ()),
        ((swap(BASE, ether(5), dollars(9_950)),), ()),
        (
            LEVER,
            (
                "health falls",
                "debt of the asset rises",
                "net exposure rises",
                "more is at the venue and nothing safer",
                "swaps buy more than is repaid",
            ),
        ),
        ((lend(MoveKind.WITHDRAW, BASE, ether(1)),), ("health falls",)),
        (
            (swap(ASSET, dollars(10_000), ether(4.98)),),
            ("net exposure rises", "swaps buy more than is repaid"),
        ),
        (
            (lend(MoveKind.REPAY, ASSET, dollars(9_000)), lend(MoveKind.BORROW, BASE, ether(1))),
            ("debt of the base rises",),
        ),
    ],
)
def test_risks_that_a_plan_makes_larger_are_named(
    moves: tuple[Move, ...], grown: tuple[str, ...]
) -> None:
    readings = make_readings(idle_asset=100_000, idle_base=5)
    assert grown_of(readings, *moves) == grown


def test_more_at_a_venue_that_nothing_is_owed_to_is_a_risk() -> None:
    readings = make_readings(idle_asset=100_000, supplied_base=0, debt_asset=0)
    supply = lend(MoveKind.SUPPLY, ASSET, dollars(100_000))
    assert grown_of(readings, supply) == ("more is at the venue and nothing safer",)


@pytest.mark.parametrize(("price_free", "debt"), [(False, 515_000), (True, 499_000)])
def test_a_top_up_is_protection_up_to_four_times_the_minimum(price_free: bool, debt: float) -> None:
    """2,490,000 of weighted collateral; 100,000 dollars more weigh 80,000."""
    supply = lend(MoveKind.SUPPLY, ASSET, dollars(100_000))
    for owed, protects in ((debt, True), (debt * 0.95, False)):
        limits = make_limits(min_health=1.25)
        readings = make_readings(idle_asset=100_000, debt_asset=owed, paused=True, limits=limits)
        if price_free:
            readings = replace(readings, measure=None)
        plan = plan_of(supply, max_loss=0, trades_price=False)
        assert (rules(plan, readings) == set()) == protects
        if not price_free:
            assert (grown_of(readings, supply) == ()) == protects


def test_without_a_price_nothing_is_withdrawn_from_who_owed_at_the_start() -> None:
    readings = replace(make_readings(idle_asset=500, debt_asset=500), measure=None)
    repay, withdraw = (
        lend(MoveKind.REPAY, ASSET, dollars(500)),
        lend(MoveKind.WITHDRAW, BASE, ether(1)),
    )
    plan = plan_of(repay, withdraw, max_loss=0, trades_price=False)
    assert rules(plan, readings) == {"price-free"}
    assert rules(replace(plan, moves=(repay,)), readings) == set()


@pytest.mark.parametrize(("bought", "reduces"), [(50.5, True), (50.51, False)])
def test_base_is_bought_as_far_as_it_repays_base(bought: float, reduces: bool) -> None:
    """To the basis point: a hundredth over what is repaid is room for the swap's own loss."""
    moves = (swap(ASSET, dollars(102_000), ether(bought)), lend(MoveKind.REPAY, BASE, ether(50)))
    assert grown_of(SHORT, *moves) == (() if reduces else ("swaps buy more than is repaid",))


@pytest.mark.parametrize(("repaid", "reduces"), [(10_000, True), (9_901, True), (9_900, False)])
def test_while_base_is_owed_the_asset_is_bought_as_far_as_it_repays_asset(
    repaid: float, reduces: bool
) -> None:
    both = make_readings(idle_base=10, debt_base=1)
    moves = (swap(BASE, ether(5), dollars(10_000)), lend(MoveKind.REPAY, ASSET, dollars(repaid)))
    assert grown_of(both, *moves) == (() if reduces else ("swaps buy more than is repaid",))


def test_swaps_of_both_directions_are_trading_and_not_reducing() -> None:
    both = make_readings(idle_asset=20_000, idle_base=10, debt_base=10)
    sells = (swap(BASE, ether(5), dollars(9_950)), lend(MoveKind.REPAY, ASSET, dollars(9_950)))
    buys = (swap(ASSET, dollars(10_000), ether(4.98)), lend(MoveKind.REPAY, BASE, ether(4.98)))
    assert grown_of(both, *sells) == ()
    assert grown_of(both, *buys) in {(), ("net exposure rises",)}
    assert "swaps go both ways" in grown_of(both, *sells, *buys)


@pytest.mark.parametrize(("more", "grown"), [(10, ()), (11, ("net exposure rises",))])
def test_exposure_grows_by_what_is_more_than_the_moves_dust(
    more: int, grown: tuple[str, ...]
) -> None:
    """Two moves leave ten units to the venue's rounding."""
    rehearsed = rehearse(
        plan_of(lend(MoveKind.REPAY, ASSET, dollars(1)), lend(MoveKind.SUPPLY, BASE, ether(1))),
        make_market(make_readings(idle_asset=1, idle_base=1)),
    )
    base = rehearsed.after.base
    after = replace(rehearsed.after, base=replace(base, idle=base.idle + more))
    assert grown_risks(replace(rehearsed, after=after), wad(1.25)) == grown


def test_base_is_sold_freely_towards_cash_while_none_is_owed() -> None:
    readings = make_readings(idle_base=400, paused=True)
    assert rules(plan_of(swap(BASE, ether(400), dollars(796_000))), readings) == set()


# ------------------------------------------------------------------ what binds everything else


BINDING = [
    ({"caps": make_caps(cooldown_s=60), "last_routine_at": NOW - 59}, "cooldown"),
    ({"caps": make_caps(max_oracle_age_s=59)}, "oracle-age"),
    ({"caps": make_caps(max_venue_bps=9_900)}, "venue-share"),
    ({"turnover_left": 0.09}, "turnover"),
    ({"paused": True}, "paused"),
    ({"winding_down": True}, "paused"),
    ({"unhedged": True}, "unhedged"),
    ({"loss_budget_left": 99, "protective_left": 50_000}, "loss-budget"),
]


@pytest.mark.parametrize(("changes", "rule"), BINDING)
def test_what_raises_a_risk_is_bound_by_the_caps(changes: dict[str, object], rule: str) -> None:
    assert rules(plan_of(*LEVER), make_readings()) == set()
    assert rules(plan_of(*LEVER), make_readings(**changes)) == {rule}  # type: ignore[arg-type]


@pytest.mark.parametrize("changes", [changes for changes, rule in BINDING if rule != "loss-budget"])
def test_what_reduces_every_risk_is_bound_by_none_of_them(changes: dict[str, object]) -> None:
    """V-08: never blocked by pause, cooldown, turnover, cap or age."""
    assert rules(plan_of(*DELEVERAGE), make_readings(**changes)) == set()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {"caps": make_caps(cooldown_s=60), "last_routine_at": NOW - 60},
        {"caps": make_caps(max_oracle_age_s=60)},
        {"turnover_left": 0.1},
        {"loss_budget_left": 100, "protective_left": 0},
    ],
)
def test_caps_bind_beyond_their_bound_and_not_at_it(changes: dict[str, object]) -> None:
    assert rules(plan_of(*LEVER), make_readings(**changes)) == set()  # type: ignore[arg-type]


def test_each_lane_of_losses_has_its_own_bucket() -> None:
    """V-04: neither can use up what the other needs."""
    only_protective = make_readings(loss_budget_left=0, protective_left=100)
    only_routine = make_readings(loss_budget_left=100, protective_left=0)
    assert rules(plan_of(*DELEVERAGE), only_protective) == set()
    assert rules(plan_of(*DELEVERAGE), only_routine) == {"loss-budget"}
    assert rules(plan_of(*LEVER), only_protective) == {"loss-budget"}
    assert rules(plan_of(*LEVER), only_routine) == set()


@pytest.mark.parametrize("moves", [LEVER, DELEVERAGE])
def test_rounding_alone_waits_for_no_bucket(moves: tuple[Move, ...]) -> None:
    """Five units a move of either token: three moves are 15 of the asset, and of base a dust worth one more."""
    empty = make_readings(loss_budget_left=0, protective_left=0)
    rounding = replace(plan_of(*moves), max_loss=Raw(16))
    assert rules(rounding, empty) == set()
    assert rules(replace(rounding, max_loss=Raw(17)), empty) == {"loss-budget"}


def test_all_reasons_are_given_and_not_the_first() -> None:
    readings = make_readings(
        caps=make_caps(cooldown_s=60, max_oracle_age_s=59, max_venue_bps=9_900),
        last_routine_at=NOW,
        turnover_left=0,
        paused=True,
        unhedged=True,
        loss_budget_left=0,
        limits=make_limits(min_health=1.3, max_borrow_bps=6_000),
    )
    assert rules(plan_of(*LEVER), readings) == {
        "cooldown", "oracle-age", "venue-share", "turnover", "paused", "unhedged", "loss-budget",
        "min-health", "borrow-ratio",
    }  # fmt: skip


# ------------------------------------------------------------------ delta band (V-06)


def test_a_plan_ends_inside_the_delta_band() -> None:
    """Three times NAV of base before: 3,000,000 dollars of a million; a hundred thousand more is out."""
    within = make_readings(caps=make_caps(delta_target_bps=30_000, delta_band_bps=1_100))
    beyond = make_readings(caps=make_caps(delta_target_bps=30_000, delta_band_bps=900))
    assert rules(plan_of(*LEVER), within) == set()
    assert rules(plan_of(*LEVER), beyond) == {"delta-band"}


def test_the_band_holds_for_what_reduces_too() -> None:
    narrow = make_caps(delta_target_bps=30_000, delta_band_bps=900)
    beyond = make_readings(caps=narrow)
    assert rules(plan_of(*DELEVERAGE), beyond) == {"delta-band"}


@pytest.mark.parametrize(
    "changes", [{"winding_down": True}, {"limits": make_limits(min_health=1.3)}]
)
def test_the_way_out_leaves_the_band(changes: dict[str, object]) -> None:
    """While winding down, and from under the minimum health; for what only reduces."""
    narrow = make_caps(delta_target_bps=30_000, delta_band_bps=900)
    beyond = make_readings(caps=narrow, **changes)  # type: ignore[arg-type]
    assert rules(plan_of(*DELEVERAGE), beyond) == set()
    assert "delta-band" in rules(plan_of(*LEVER), beyond)


def test_outside_the_band_nearer_is_enough_and_standing_still_if_it_reduces() -> None:
    far = make_readings(idle_asset=9_000, caps=make_caps(delta_target_bps=0, delta_band_bps=100))
    assert rules(plan_of(*DELEVERAGE), far) == set()
    assert rules(plan_of(*LEVER), far) == {"delta-band"}
    repays = plan_of(lend(MoveKind.REPAY, ASSET, dollars(9_000)), max_loss=0, trades_price=False)
    assert rules(repays, far) == set()
    loosens = plan_of(lend(MoveKind.WITHDRAW, BASE, ether(1)))
    assert rules(loosens, far) == {"delta-band"}


@pytest.mark.parametrize(
    ("target_bps", "gap"), [(0, 3_000_000), (10_000, 2_000_000), (-10_000, 4_000_000)]
)
def test_the_gap_is_the_value_between_delta_and_target(target_bps: int, gap: float) -> None:
    ledger = Ledger.of(make_readings())
    assert delta_gap_up(ledger, make_caps(delta_target_bps=target_bps)) == dollars(gap)


# ------------------------------------------------------------------ options and unmeasured vaults


def test_options_count_in_exposure_debt_and_nav() -> None:
    book = replace(
        NO_OPTIONS,
        collateral_base=ether(100),
        escrow_asset=dollars(1_000),
        liability_mid=dollars(20_000),
        delta_base=-ether(40),
    )
    plain, optional = Ledger.of(make_readings()), Ledger.of(make_readings(book=book))
    assert optional.net_delta() == plain.net_delta() + ether(60)
    assert optional.nav_down() == plain.nav_down() + dollars(200_000 + 1_000 - 20_000)
    assert optional.health_wad() == plain.health_wad()
    assert optional.owed_scaled() - plain.owed_scaled() == dollars(20_000) * plain.asset_scale


def test_while_volatility_is_unusable_only_what_reduces_is_sent() -> None:
    """V-08: options then count at intrinsic value, and the way out stays open."""
    blind = replace(make_readings(), options=Options(LENDING, NO_OPTIONS, False, ()))
    assert rules(plan_of(*LEVER), blind) == {"volatility"}
    assert rules(plan_of(*DELEVERAGE), blind) == set()


@pytest.mark.parametrize("kind", [MoveKind.WRITE, MoveKind.CANCEL, MoveKind.BUY_BACK])
def test_moves_of_options_without_a_desk_are_refused_and_never_guessed(kind: MoveKind) -> None:
    assert "desk" in rules(plan_of(lend(kind, ASSET, 1)), make_readings())


def test_a_vault_without_a_measure_is_judged_move_by_move() -> None:
    """Without a price the vault has no outcome to judge: no supply unless it secures debt."""
    unmeasured = replace(make_readings(idle_asset=100, paused=True), measure=None)
    supply = plan_of(lend(MoveKind.SUPPLY, ASSET, dollars(100)), max_loss=0, trades_price=False)
    assert rules(supply, unmeasured) == set()
    free = make_readings(idle_asset=100, paused=True, debt_asset=0)
    assert rules(supply, replace(free, measure=None)) == {"price-free"}
