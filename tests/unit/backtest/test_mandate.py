"""The mandate's judgement, limit by limit, and its buckets."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.backtest.mandate import Bucket, Mandate, Traded
from keeper.backtest.reverts import Reverted
from keeper.backtest.spec import DEFAULT_TERMS
from keeper.model.market import Measure
from keeper.model.units import WAD, Bps, Raw, Wad

NOW = 1_700_000_000
SCALE = 10**30
DAY = 86_400


def measure(
    *,
    gross: int = 3_000_000,
    debt: int = 2_000_000,
    health: float = 1.245,
    delta: int = 1_500,
    lent: int = 3_000_000,
    age: int = 60,
) -> Measure:
    unit = 10**6
    return Measure(
        priced=True,
        options_known=True,
        price_wad=Wad(2_000 * WAD),
        price_at=NOW - age,
        health_wad=Wad(round(health * 10**6) * 10**12),
        gross=Raw(gross * unit),
        debt=Raw(debt * unit),
        nav=Raw((gross - debt) * unit),
        debt_asset=Raw(debt * unit),
        debt_base=Raw(0),
        supplied_asset=Raw(0),
        supplied_base=Raw(1_500 * WAD),
        delta_base=delta * WAD,
        lent=Raw(lent * unit),
        option_collateral=Raw(0),
        notional=Raw(0),
        vega=Raw(0),
    )


def judge(mandate: Mandate, before: Measure, after: Measure, **given: object) -> None:
    whole = {"max_loss": 10**12, "moves": 3, "scale": SCALE, "unhedged": False} | given
    traded = whole.pop("traded", Traded())
    mandate.judge(NOW, before, after, traded, **whole)  # type: ignore[arg-type]


def mandate(**caps: Any) -> Mandate:
    terms = replace(DEFAULT_TERMS, caps=replace(DEFAULT_TERMS.caps, **caps))
    return Mandate(terms)


LEVERED = measure(gross=3_300_000, debt=2_300_000, health=1.19, delta=1_650, lent=3_300_000)


@pytest.mark.parametrize(
    ("after", "given", "name"),
    [
        (measure(health=1.09), {}, "HealthTooLow"),
        (measure(gross=20_000_000, debt=19_000_000), {}, "BorrowRatioTooHigh"),
        (LEVERED, {"unhedged": True}, "Unhedged"),
        (measure(gross=2_990_000, health=1.24), {"max_loss": 9_999 * 10**6}, "LossTooLarge"),
        (measure(gross=2_970_000, health=1.24), {}, "LossTooLarge"),
    ],
)
def test_a_limit_that_is_broken_reverts_by_its_name(
    after: Measure, given: dict[str, object], name: str
) -> None:
    with pytest.raises(Reverted) as caught:
        judge(mandate(), measure(), after, **given)
    assert caught.value.name == name


@pytest.mark.parametrize(
    ("caps", "before", "name"),
    [
        ({"max_venue_bps": 9_000}, measure(), "ShareTooLarge"),
        ({"delta_band_bps": 25_000}, measure(), "DeltaOutsideBand"),
        ({"max_oracle_age_s": 59}, measure(), "OracleTooOld"),
    ],
)
def test_a_cap_that_is_broken_reverts_by_its_name(
    caps: dict[str, int], before: Measure, name: str
) -> None:
    with pytest.raises(Reverted) as caught:
        judge(mandate(**caps), before, LEVERED)
    assert caught.value.name == name


def test_routine_waits_for_the_cooldown_and_what_reduces_does_not() -> None:
    made = mandate(cooldown_s=600)
    judge(made, measure(), LEVERED)
    with pytest.raises(Reverted, match="CooldownActive"):
        judge(made, measure(), LEVERED)
    judge(made, LEVERED, measure())
    made.paused = True
    with pytest.raises(Reverted, match="PausedRiskRaised"):
        judge(made, measure(), LEVERED)
    judge(made, LEVERED, measure())


def test_each_kind_of_loss_is_charged_to_its_own_bucket() -> None:
    made = mandate()
    lost = Raw(LEVERED.gross - 5_000 * 10**6)
    lossy = replace(LEVERED, gross=lost, lent=lost)
    judge(made, measure(), lossy)
    assert (made.routine.used_wad > 0, made.protective.used_wad) == (True, 0)
    used = made.routine.used_wad
    assert used == pytest.approx(WAD * 5_000 / 1_000_000, rel=1e-9)
    reduced = replace(measure(), gross=Raw(measure().gross - 5_000 * 10**6))
    judge(made, LEVERED, reduced)
    assert made.routine.used_wad == used
    assert made.protective.used_wad > 0


def test_turnover_has_a_bucket_of_its_own() -> None:
    made = mandate(turnover_per_day_bps=Bps(3_000))
    judge(made, measure(), LEVERED, traded=Traded(turnover=300_000 * 10**6))
    made.routine_at = 0
    with pytest.raises(Reverted, match="BudgetExceeded"):
        judge(made, measure(), LEVERED, traded=Traded(turnover=10**6))


UNDER = measure(health=1.05)


@pytest.mark.parametrize(("began", "winding_down"), [(1.05, False), (1.2, True), (1.2, False)])
def test_a_rescue_and_a_way_out_pass_the_delta_band_and_nothing_else_does(
    began: float, winding_down: bool
) -> None:
    """The target is a delta of three times NAV; what reduces risk ends far from it."""
    made = mandate(delta_target_bps=30_000, delta_band_bps=100)
    made.winding_down = winding_down
    before, after = measure(health=began), measure(health=1.3, delta=500)
    if began < 1.1 or winding_down:
        judge(made, before, after)
    else:
        with pytest.raises(Reverted, match="DeltaOutsideBand"):
            judge(made, before, after)


def test_outside_the_band_a_move_must_come_nearer_and_not_to_the_other_side() -> None:
    made = mandate(delta_band_bps=10_000)
    judge(made, measure(), measure(health=1.3))  # nothing moved
    judge(made, measure(), measure(health=1.3, delta=1_499))
    with pytest.raises(Reverted, match="DeltaOutsideBand"):
        judge(made, measure(), measure(health=1.3, delta=-1_500))


def test_health_under_the_minimum_must_rise() -> None:
    judge(mandate(), UNDER, measure(health=1.051))
    for health in (1.05, 1.049):
        with pytest.raises(Reverted, match="HealthTooLow"):
            judge(mandate(), UNDER, measure(health=health))


def test_a_debt_moved_from_one_token_to_the_other_is_new_debt() -> None:
    dear = measure(gross=2_300_000, health=1.2)
    moved_over = replace(dear, debt_asset=Raw(10**12), debt_base=Raw(500 * WAD))
    with pytest.raises(Reverted, match="BorrowRatioTooHigh"):
        judge(mandate(), dear, moved_over)
    judge(mandate(), dear, replace(dear, health_wad=Wad(dear.health_wad + 1)))


def test_after_a_rescue_nothing_raises_risk_for_a_day() -> None:
    made = mandate()
    made.rescued_at = NOW - DAY + 1
    with pytest.raises(Reverted, match="CooldownActive"):
        judge(made, measure(), LEVERED)
    judge(made, LEVERED, measure())
    made.rescued_at = NOW - DAY
    judge(made, measure(), LEVERED)


@pytest.mark.parametrize(
    "name",
    ["debt_asset", "debt_base", "notional", "vega", "option_collateral", "delta_base", "lent"],
)
def test_what_raises_any_measured_risk_does_not_reduce(name: str) -> None:
    """Up to the dust of three moves of delta; of what is lent only where health is high already."""
    made = mandate()
    made.paused = True
    before, after = measure(health=4.5), measure(health=4.6)
    judge(made, before, after)
    more = Raw(getattr(after, name) + 16)
    with pytest.raises(Reverted, match="PausedRiskRaised"):
        judge(made, before, replace(after, **{name: more}))  # type: ignore[arg-type]


def test_swaps_that_reduce_are_as_large_as_what_they_repay_but_cash_is_free_without_base_owed() -> (
    None
):
    made = mandate()
    made.paused = True
    half = 500_000 * 10**6
    sold = measure(delta=1_250, health=1.3)
    judge(made, measure(), sold, traded=Traded(turnover=half, bought_asset=half))
    owing = replace(measure(), debt_base=Raw(WAD))
    with pytest.raises(Reverted, match="PausedRiskRaised"):
        judge(
            made,
            owing,
            replace(sold, debt_base=Raw(WAD)),
            traded=Traded(turnover=half, bought_asset=half),
        )
    repaid = replace(sold, debt_base=Raw(0))
    for bought, fine in ((2_020 * 10**6, True), (2_020 * 10**6 + 1, False)):
        traded = Traded(turnover=bought, bought_base=bought)
        if fine:
            judge(made, owing, repaid, traded=traded)
        else:
            with pytest.raises(Reverted, match="PausedRiskRaised"):
                judge(made, owing, repaid, traded=traded)


def test_a_bucket_gives_all_it_has_and_rounds_a_charge_up() -> None:
    full = Bucket(0, NOW)
    full.charge(NOW, WAD // 20, 50_000, 10**6)
    with pytest.raises(Reverted, match="BudgetExceeded"):
        full.charge(NOW, WAD // 20, 1, 10**6)
    third = Bucket(0, NOW)
    third.charge(NOW, WAD, 1, 3)
    assert third.used_wad == WAD // 3 + 1


@settings(max_examples=100)
@given(
    charges=st.lists(
        st.tuples(st.integers(0, 5 * DAY), st.integers(0, 60_000)), min_size=1, max_size=20
    )
)
def test_no_window_loses_more_than_the_bucket_and_its_refill(
    charges: list[tuple[int, int]],
) -> None:
    """V-04: over any window, capacity and refill x time, whatever is tried and when."""
    bucket, capacity, nav = Bucket(0, NOW), WAD // 20, 10**6
    now, taken = NOW, [(NOW, 0)]
    for wait, amount in charges:
        now += wait
        try:
            bucket.charge(now, capacity, amount, nav)
        except Reverted:
            continue
        taken.append((now, amount))
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            lost = sum(amount for _, amount in taken[first : last + 1])
            span = taken[last][0] - taken[first][0]
            assert lost * WAD <= nav * capacity * (1 + span / DAY) * (1 + 1e-12) + nav


def test_a_state_is_shown_anew_as_soon_as_anything_of_it_changes() -> None:
    """What is shown again as the same object must be what a fresh mandate in the same state shows."""
    made = Mandate(DEFAULT_TERMS, beat_at=NOW)
    assert made.state(NOW) is made.state(NOW + 1)
    changes: tuple[tuple[str, object], ...] = (
        ("beat_at", NOW + 2),
        ("routine_at", NOW + 3),
        ("counter", 1),
        ("paused", True),
        ("winding_down", True),
        ("terms", replace(DEFAULT_TERMS, caps=replace(DEFAULT_TERMS.caps, cooldown_s=7))),
    )
    for name, value in changes:
        setattr(made, name, value)
        assert made.state(NOW + 9) == replace(made.copied(), _shown=None).state(NOW + 9), name
    capacity = made.state(NOW).routine.capacity_wad
    made.routine.charge(NOW + 10, capacity, 1, 10**4)
    partly = made.state(NOW + 11).routine
    assert partly.left_wad < capacity
    assert made.state(NOW + 10 + DAY).routine.left_wad == capacity
    assert made.state(NOW + 11 + DAY) is made.state(NOW + 12 + DAY)
