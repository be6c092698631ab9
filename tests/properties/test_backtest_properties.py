"""What holds of every backtest, whatever the path, the depositors and the strategy."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keeper.backtest import BacktestResult
from keeper.backtest.events import Event, FundingEvent, PriceEvent, VolatilityEvent, merged
from keeper.backtest.spec import FeeSpec, Holdings
from keeper.model.units import WAD
from strategies.collateral_guard import CollateralGuard
from strategies.delta_band import DeltaBand
from tests.unit.backtest.worlds import HOUR, START, Erratic, Still, flows, run, spec, walk
from tests.unit.strategies.catalogue import EVERY

FEW = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
SEEDS = st.integers(0, 10_000)
STEPS = 60


@FEW
@given(seed=SEEDS, hourly=st.sampled_from((0.002, 0.01, 0.05)), levered=st.booleans())
def test_every_unit_of_a_change_of_nav_has_one_entry(
    seed: int, hourly: float, levered: bool
) -> None:
    """V-02's spirit off-chain: opening + flows + entries = closing, in asset units, at every step."""
    fees = FeeSpec(management_bps=200, performance_bps=2_000)
    vault = spec(1.5 if levered else None, fees=fees)
    events = merged(walk(STEPS, seed, hourly), flows(STEPS, seed))
    result = run(events, Erratic(seed), vault)
    booked = result.attribution
    assert booked.exact
    assert booked.closing == booked.opening + sum(e.amount for e in result.entries)
    parts = sum(booked.parts.values())
    assert parts == pytest.approx(booked.closing - booked.opening - booked.flows - booked.gas)
    assert sum(booked.by_venue.values()) + booked.flows == booked.closing - booked.opening
    epochs = sum(sum(causes.values()) for causes in booked.by_epoch.values())
    assert epochs == booked.closing - booked.opening
    assert abs(booked.parts["residual"]) < 10 * len(result.entries)


@FEW
@given(seed=SEEDS)
def test_the_same_input_gives_the_same_bytes(seed: int) -> None:
    once, again = (run(walk(STEPS, seed), Erratic(seed)) for _ in range(2))
    assert once.digest == again.digest


@pytest.mark.parametrize("strategy", [CollateralGuard(), DeltaBand(band=20.0), Erratic(3), Still()])
@pytest.mark.parametrize("cut", [10, 37])
def test_nothing_after_a_decision_changes_it(strategy: object, cut: int) -> None:
    """Everything after t is reversed and halved: what was decided and done up to t is the same."""
    events = walk(STEPS, 5, 0.02)
    cut_at = events[cut].time
    later = [e for e in events if e.time > cut_at]
    other = [
        replace(event, price_wad=mirror.price_wad // 2)
        for event, mirror in zip(later, reversed(later), strict=True)
        if isinstance(event, PriceEvent) and isinstance(mirror, PriceEvent)
    ]
    first = run(events, strategy)  # type: ignore[arg-type]
    second = run([*events[: cut + 1], *other], strategy)  # type: ignore[arg-type]
    known = [d for d in first.decisions if d.time <= cut_at]
    assert known == [d for d in second.decisions if d.time <= cut_at]
    for name, values in first.steps.items():
        assert (values[: cut + 1] == second.steps[name][: cut + 1]).all(), name
    assert first.steps["market"][-1] != second.steps["market"][-1]


@FEW
@given(seed=SEEDS)
def test_no_plan_that_landed_lost_more_than_the_mandate_allows(seed: int) -> None:
    """V-04 and V-05, on whatever landed: the simulated mandate lets nothing else through."""
    vault = spec(1.4)
    result = run(walk(STEPS, seed, 0.03), Erratic(seed), vault)
    most = vault.terms.limits.max_loss_bps
    for done in result.transactions:
        if done.effect and done.kind == "rebalance":
            lost = done.effect.nav_before - done.effect.nav_after
            assert lost * 10_000 <= done.effect.nav_before * most + 10_000 * 100


@pytest.mark.parametrize("name", sorted(EVERY))
def test_no_strategy_sees_what_comes_after_its_decision(name: str) -> None:
    """Volatility, funding and price after t are replaced: steps, entries and decisions up to t are the same."""
    first, second = (played(name, after) for after in (1.0, 0.6))
    known = [d for d in first.decisions if d.time <= CUT]
    assert known == [d for d in second.decisions if d.time <= CUT]
    upto = first.steps["time"] <= CUT
    for column, values in first.steps.items():
        assert (values[upto] == second.steps[column][: upto.sum()]).all(), column
    booked = [e for e in first.entries if e.time <= CUT]
    assert booked == [e for e in second.entries if e.time <= CUT]
    assert first.steps["market"][-1] != second.steps["market"][-1]
    assert first.attribution.exact
    assert second.attribution.exact


CUT = START + 20 * HOUR


def played(name: str, after: float) -> BacktestResult:
    """A day and a half of an idle vault of both tokens; from `CUT` on everything is `after` times what it was."""
    events: list[Event] = [
        *(VolatilityEvent(START + i * 4 * HOUR, WAD * (8 + i % 3) // 10) for i in range(9)),
        *(FundingEvent(START + i * 8 * HOUR, WAD // 2_000, 8 * HOUR) for i in range(5)),
        *walk(36, 11, 0.01),
    ]
    held = Holdings(idle_asset=500_000 * 10**6, idle_base=250 * 10**18)
    vault = replace(spec(None), holdings=held)
    ordered = sorted((later(e, after) for e in events), key=lambda e: e.time)
    return run(ordered, EVERY[name], vault)


def later(event: Event, after: float) -> Event:
    if event.time <= CUT:
        return event
    if isinstance(event, PriceEvent):
        return replace(event, price_wad=round(event.price_wad * after))
    if isinstance(event, VolatilityEvent):
        return replace(event, volatility_wad=round(event.volatility_wad * after))
    if isinstance(event, FundingEvent):
        return replace(event, rate_wad=round(event.rate_wad * after))
    return event
