"""The guard is monotone: a tighter limit never turns refused into passed."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.guard import check
from keeper.guard.mandate import grown_risks, leaves_band
from keeper.guard.rehearsal import rehearse
from keeper.model.decision import Lane, Move, MoveKind, Plan
from keeper.model.mandate import Limits
from keeper.model.market import Readings
from keeper.model.policy import GuardPolicy
from keeper.model.units import WAD, Bps, Raw, Wad, Wei
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
)

FEW = settings(max_examples=300, deadline=None)


@st.composite
def moves(draw: st.DrawFn) -> Move:
    kind = draw(st.sampled_from(list(MoveKind)))
    token = draw(st.sampled_from([ASSET, BASE]))
    value = draw(st.floats(0, 600_000))
    amount = dollars(value) if token == ASSET else ether(value / 2_000)
    out_value = value * draw(st.floats(0.95, 1.01))
    min_out = ether(out_value / 2_000) if token == ASSET else dollars(out_value)
    swaps = kind is MoveKind.SWAP
    return Move(kind, SWAPPER if swaps else LENDING, token, amount, Raw(min_out if swaps else 0))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    loss = draw(st.floats(0, 30_000))
    return Plan(
        lane=draw(st.sampled_from(list(Lane))),
        moves=tuple(draw(st.lists(moves(), min_size=1, max_size=6))),
        reason="any",
        expected_health_wad=Wad(WAD),
        expected_net_delta=Raw(0),
        expected_loss=dollars(loss * draw(st.floats(0, 1.2))),
        max_loss=dollars(loss),
        gas_limit_estimate=1,
        trades_price=draw(st.booleans()),
    )


@st.composite
def vaults(draw: st.DrawFn) -> Readings:
    return make_readings(
        idle_asset=draw(st.sampled_from([0, 100_000, 700_000])),
        idle_base=draw(st.sampled_from([0, 10, 300])),
        supplied_asset=draw(st.sampled_from([0, 400_000])),
        debt_asset=draw(st.sampled_from([0, 1_500_000, 2_000_000, 2_300_000])),
        debt_base=draw(st.sampled_from([0, 30])),
        limits=make_limits(
            min_health=draw(st.floats(1.01, 2)),
            max_swap_loss_bps=draw(st.integers(10, 300)),
            max_loss_bps=draw(st.integers(10, 500)),
            max_borrow_bps=draw(st.integers(0, 9_300)),
        ),
        caps=make_caps(
            delta_target_bps=draw(st.sampled_from([0, 30_000, -10_000])),
            delta_band_bps=draw(st.sampled_from([100, 5_000, 100_000])),
            max_venue_bps=draw(st.integers(0, 10_000)),
            cooldown_s=draw(st.integers(0, 3_600)),
            max_oracle_age_s=draw(st.integers(60, 3_600)),
        ),
        turnover_left=draw(st.floats(0, 3)),
        last_routine_at=NOW - draw(st.integers(0, 3_600)),
        unhedged=draw(st.booleans()),
        loss_budget_left=draw(st.floats(0, 50_000)),
        protective_left=draw(st.floats(0, 50_000)),
        base_fee_gwei=draw(st.floats(1, 200)),
        keeper_balance_eth=draw(st.floats(0, 0.1)),
    )


def passes(plan: Plan, readings: Readings, policy: GuardPolicy, faults: tuple[str, ...]) -> bool:
    market = make_market(readings, faults=faults)
    return check(plan, market, policy).passed


@st.composite
def tighter(
    draw: st.DrawFn, readings: Readings, policy: GuardPolicy
) -> tuple[Readings, GuardPolicy, tuple[str, ...]]:
    """The same vault with some limits drawn in."""

    def less(value: int) -> int:
        return draw(st.integers(0, value))

    limits = readings.limits
    more_health = draw(st.integers(0, WAD))
    stricter = Limits(
        min_health_wad=Wad(limits.min_health_wad + more_health),
        max_swap_loss_bps=Bps(less(limits.max_swap_loss_bps)),
        max_loss_bps=Bps(less(limits.max_loss_bps)),
        max_loss_per_day_bps=limits.max_loss_per_day_bps,
        max_borrow_bps=Bps(less(limits.max_borrow_bps)),
    )
    mandate, caps = readings.mandate, readings.mandate.terms.caps
    narrow = replace(
        caps,
        delta_band_bps=Bps(less(caps.delta_band_bps)),
        max_venue_bps=Bps(less(caps.max_venue_bps)),
        cooldown_s=caps.cooldown_s + draw(st.integers(0, 60)),
        max_oracle_age_s=less(caps.max_oracle_age_s),
    )
    drawn_in = replace(
        readings,
        mandate=replace(
            mandate,
            terms=replace(mandate.terms, limits=stricter, caps=narrow),
            routine=replace(mandate.routine, left_wad=Wad(less(mandate.routine.left_wad))),
            protective=replace(mandate.protective, left_wad=Wad(less(mandate.protective.left_wad))),
            turnover=replace(mandate.turnover, left_wad=Wad(less(mandate.turnover.left_wad))),
            paused=mandate.paused or draw(st.booleans()),
            winding_down=mandate.winding_down or draw(st.booleans()),
            keeper_allowed=mandate.keeper_allowed and draw(st.booleans()),
        ),
        unhedged=readings.unhedged or draw(st.booleans()),
        keeper_balance_wei=Wei(less(readings.keeper_balance_wei)),
    )
    narrower = GuardPolicy(
        max_routine_base_fee_wei=less(policy.max_routine_base_fee_wei),
        max_loss_bps=Bps(less(policy.max_loss_bps)),
        min_keeper_balance_wei=policy.min_keeper_balance_wei + draw(st.integers(0, WAD)),
    )
    return drawn_in, narrower, draw(st.sampled_from([(), ("the feed is old",)]))


@FEW
@given(data=st.data(), plan=plans(), readings=vaults())
def test_tightening_never_turns_refused_into_passed(
    data: st.DataObject, plan: Plan, readings: Readings
) -> None:
    policy = guard_policy(max_loss_bps=300)
    drawn_in, narrower, faults = data.draw(tighter(readings, policy))
    if not passes(plan, drawn_in, narrower, faults) or _released(plan, readings, drawn_in):
        return
    assert passes(plan, readings, policy, ())


def _released(plan: Plan, readings: Readings, drawn_in: Readings) -> bool:
    """The two tightenings that open the way out: of the delta band, and for more collateral."""
    rehearsed = rehearse(plan, make_market(readings))
    grown = grown_risks(rehearsed, readings.limits.min_health_wad)
    way_out = not grown_risks(rehearsed, drawn_in.limits.min_health_wad)
    opened = leaves_band(drawn_in, rehearsed.before) and not leaves_band(readings, rehearsed.before)
    return way_out and (opened or grown == ("more is at the venue and nothing safer",))


@FEW
@given(plan=plans(), readings=vaults())
def test_a_plan_that_passes_leaves_health_as_the_mandate_wants_it(
    plan: Plan, readings: Readings
) -> None:
    """V-05, recomputed here from the moves alone."""
    market = make_market(readings)
    if not check(plan, market, guard_policy()).passed:
        return
    asset, base = readings.asset_position, readings.base_position
    supplied: dict[str, int] = {ASSET: asset.supplied, BASE: base.supplied}
    debt: dict[str, int] = {ASSET: asset.debt, BASE: base.debt}
    for move in plan.moves:
        supplied[move.token] += {MoveKind.SUPPLY: 1, MoveKind.WITHDRAW: -1}.get(
            move.kind, 0
        ) * move.amount
        debt[move.token] += {MoveKind.BORROW: 1, MoveKind.REPAY: -1}.get(move.kind, 0) * move.amount
    worth = {ASSET: 1e-6, BASE: 2_000e-18}
    owed = sum(debt[token] * worth[token] for token in worth)
    secured = supplied[ASSET] * worth[ASSET] * 0.80 + supplied[BASE] * worth[BASE] * 0.83
    before, least = readings.account.health_wad / WAD, readings.limits.min_health_wad / WAD
    assert owed < 1e-6 or secured / owed >= min(least, before) * (1 - 1e-9)


@FEW
@given(plan=plans(), readings=vaults())
def test_gas_never_stops_a_protective_plan(plan: Plan, readings: Readings) -> None:
    market = make_market(replace(readings, keeper_balance_wei=Wei(0)))
    policy = replace(guard_policy(), max_routine_base_fee_wei=0)
    urgent = replace(plan, lane=Lane.PROTECTIVE)
    found = {r.rule for r in check(urgent, market, policy).refusals}
    assert not found & {"base-fee", "keeper-balance"}
