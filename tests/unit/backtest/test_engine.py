"""The engine: latency, limits on arrival, liquidation, depositors, and the order of things."""

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest

from keeper.backtest import BacktestResult, BacktestSpec, default_policies, run_backtest
from keeper.backtest.events import (
    Event,
    FlowEvent,
    FundingEvent,
    GasEvent,
    PriceEvent,
    QuoteEvent,
    RatesEvent,
    RoundEvent,
    VolatilityEvent,
)
from keeper.backtest.ledger import Cause
from keeper.backtest.spec import RAY, ChainSpec, FeeSpec, Holdings, levered
from keeper.errors import MarketDataError, SettingError
from keeper.model.decision import Lane, OptionTarget, PerpetualTarget, SupplyTarget, Target
from keeper.model.market import MarketState
from keeper.model.risk import RiskReport
from keeper.model.units import WAD, Raw, Wad, wad_down
from strategies.collateral_guard import CollateralGuard
from tests.unit.backtest.worlds import FIRST, HOUR, START, Still, path, price, run, spec

FRIDAY = START + 5 * 86_400 - START % 86_400 + 8 * HOUR


@dataclass(frozen=True)
class Always:
    """The same target at every tick."""

    target: Target

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        return self.target


def towards(health: float, lane: Lane = Lane.ROUTINE) -> Always:
    return Always(Target(lane, wad_down(health), None, "a health"))


def rebalances(result: BacktestResult) -> list[int]:
    return [t.time for t in result.transactions if t.kind == "rebalance" and not t.reverted]


@pytest.mark.parametrize("blocks", [1, 2, 10])
def test_a_decision_takes_effect_so_many_blocks_later(blocks: int) -> None:
    result = run(path(2_000, 2_000), towards(1.9), spec(1.6, latency_blocks=blocks))
    assert rebalances(result)[0] == START + blocks * 12
    assert result.steps["health"][0] == pytest.approx(1.6, rel=1e-3)
    assert result.steps["health"][1] == pytest.approx(1.9, rel=1e-2)


def test_a_plan_that_meets_a_worse_pool_reverts_by_its_own_limits_and_pays_gas() -> None:
    """The market falls between the block of the decision and the block it lands in."""
    fall: list[Event] = [PriceEvent(START + 18, price(1_960), decides=False)]
    events = [path(2_000)[0], *fall, path(1_960, 1_960)[1]]
    result = run(events, towards(1.9), spec(1.6))
    first = result.transactions[0]
    assert first.reverted.startswith("SwapLossTooLarge")
    assert first.effect is None
    assert first.gas_cost > 0
    assert result.attribution.gas >= first.gas_cost


def test_an_intent_names_the_state_it_was_made_for() -> None:
    """Two settled blocks apart, a second intent never lands on a state it did not see (V-12)."""
    result = run(path(*[2_000] * 6), towards(1.9), spec(1.6))
    assert all(not t.reverted for t in result.transactions)
    assert len({t.intent_id for t in result.transactions}) == len(result.transactions)


def test_without_a_keeper_a_fall_liquidates_and_the_bonus_is_lost() -> None:
    result = run(path(2_000, 1_500, 1_200, 1_190, 1_190), Still(), spec(1.5))
    assert result.liquidations
    lost = sum(done.loss for done in result.liquidations)
    assert result.attribution.by_cause[Cause.LIQUIDATION] == -lost < 0
    assert result.attribution.exact
    assert min(result.steps["health"]) < 1
    assert result.steps["health"][-1] > 1


def test_with_a_guard_the_same_fall_does_not() -> None:
    prices = [2_000 - 20 * i for i in range(41)]
    result = run(path(*prices), CollateralGuard(), spec(1.5))
    assert result.liquidations == ()
    assert min(result.steps["health"]) > 1.1
    assert len(run(path(*prices), Still(), spec(1.5)).liquidations) > 0


def test_depositors_come_in_at_the_high_mark_and_go_at_the_low_one() -> None:
    day = 24
    asks = [
        FlowEvent(START + HOUR + 1, assets=100_000 * 10**6),
        FlowEvent(START + 30 * HOUR + 1, shares_bps=5_000),
    ]
    events = sorted([*path(*[2_000] * (3 * day)), *asks], key=lambda e: e.time)
    result = run(events, Still(), spec(None))
    causes = result.attribution.by_cause
    assert causes[Cause.DEPOSIT] == 100_000 * 10**6
    assert causes[Cause.REDEMPTION] == pytest.approx(-550_000 * 10**6, rel=1e-6)
    assert result.steps["share"][-1] == pytest.approx(result.steps["share"][0], rel=1e-9)
    assert result.attribution.exact


def test_fees_take_from_the_share_and_not_from_nav() -> None:
    fees = FeeSpec(management_bps=300)
    asks: list[Event] = [FlowEvent(START + i * 86_400 + 60, assets=10**6) for i in range(364)]
    events = sorted([*path(*[2_000] * 366, step_s=86_400), *asks], key=lambda e: e.time)
    result = run(events, Still(), spec(None, fees=fees))
    assert result.steps["share"][-1] / result.steps["share"][0] == pytest.approx(0.97, abs=1e-3)
    assert result.attribution.closing == result.attribution.opening + 364 * 10**6


def test_the_heart_is_beaten_in_time_and_costs_gas() -> None:
    result = run(path(*[2_000] * 50), Still())
    beats = [t.time for t in result.transactions if t.kind == "beat"]
    assert len(beats) == len(result.transactions) > 2
    silence = BacktestSpec().terms.emergency.silence_s
    apart = [b - a for a, b in pairwise([START, *beats])]
    assert all(silence // 2 <= gap < silence // 2 + 2 * HOUR for gap in apart)
    assert result.attribution.gas == sum(t.gas_cost for t in result.transactions) > 0


def test_gas_follows_its_events() -> None:
    dear: list[Event] = [GasEvent(START, 500 * 10**9)]
    cheap, costly = (run([*e, *path(*[2_000] * 14)], Still()) for e in ([], dear))
    assert cheap.transactions
    # routine work waits above the guard's base fee
    assert costly.transactions == ()
    assert costly.refusals == {"base-fee": 2}


def test_given_rates_are_paid_to_the_unit() -> None:
    rates: list[Event] = [
        RatesEvent(START, False, 0, RAY // 10),
        RatesEvent(START, True, 0, 0),
    ]
    result = run([*rates, *path(2_000, 2_000)], Still(), spec(2.0))
    owed = spec(2.0).holdings.debt_asset
    expected = owed * math.expm1(0.1 * HOUR / (365 * 86_400))
    assert result.attribution.by_cause[Cause.INTEREST_PAID] == pytest.approx(-expected, abs=2)


def test_rounds_that_are_given_silence_the_transmitter() -> None:
    rounds: list[Event] = [RoundEvent(START + i * HOUR, 2_000 * 10**8, False) for i in range(4)]
    events = sorted([*rounds, *path(2_000, 2_020, 2_040, 2_060)], key=lambda e: e.time)
    result = run(events, Still())
    assert set(result.steps["oracle"]) == {2_000.0}
    assert result.steps["market"][-1] == 2_060


def test_a_dollar_that_is_no_dollar_moves_the_price() -> None:
    depeg: list[Event] = [QuoteEvent(START + HOUR, 90_000_000)]
    events = sorted([*path(2_000, 2_000, 2_000), *depeg], key=lambda e: e.time)
    result = run(events, Still(), spec(2.0))
    assert result.steps["oracle"][1] == pytest.approx(2_000 / 0.9, rel=1e-6)


def test_a_perpetual_that_is_wanted_is_traded_and_funded() -> None:
    short = Target(
        Lane.ROUTINE, None, None, "short", perpetuals=(PerpetualTarget("perp", -50 * 10**18),)
    )
    events = [
        FundingEvent(START, 0, 8 * HOUR),
        *path(2_000, 2_000),
        FundingEvent(START + 2 * HOUR, WAD // 1_000, 8 * HOUR),
        *path(2_000, 2_000, 1_900, 1_900)[2:],
    ]
    result = run(events, Always(short), spec(None))
    assert result.steps["perpetual"][-1] == -50
    assert result.steps["delta"][-1] == pytest.approx(-50)
    causes = result.attribution.by_cause
    assert causes[Cause.PERPETUAL] == pytest.approx(5_000 * 10**6, rel=1e-6)
    assert causes[Cause.FUNDING] == pytest.approx(100 * 10**6, rel=0.06)
    (order,) = result.orders
    assert (order.time, order.refused) == (START + 2 * 12, "")


def test_an_option_that_is_wanted_is_auctioned_kept_and_settled() -> None:
    call = OptionTarget(True, Wad(2_200 * WAD), FRIDAY, -100 * 10**18)
    wants = Target(Lane.ROUTINE, None, None, "a call", options=(call,))
    hours = (FRIDAY - START) // HOUR + 3
    events = [VolatilityEvent(START, 8 * WAD // 10), *path(*[2_000] * hours)]
    base = replace(spec(None), holdings=Holdings(10**12, 200 * 10**18))
    result = run(events, Always(wants), base)
    assert sum(f.quantity for f in result.fills) == -100 * 10**18
    assert result.steps["gamma"][10] < 0 < result.steps["theta"][10]
    assert result.steps["liability"][-1] == 0
    assert result.attribution.parts["theta"] > 0
    gained = result.attribution.closing - result.attribution.opening
    assert gained == -sum(f.paid for f in result.fills)


@pytest.mark.parametrize("second", [0, 2_600])
def test_an_option_that_is_wanted_long_is_the_plans_own_order_and_is_held_to_its_end(
    second: int,
) -> None:
    """Bought once, under the plan's limit; an order of the plan and of nobody else."""
    call = OptionTarget(True, Wad(2_200 * WAD), FRIDAY, 50 * 10**18, Wad(second * WAD))
    wants = Target(Lane.ROUTINE, None, None, "long", options=(call,))
    hours = (FRIDAY - START) // HOUR + 3
    events = [VolatilityEvent(START, 8 * WAD // 10), *path(*[2_000] * (hours - 5), *[2_400] * 5)]
    result = run(events, Always(wants), spec(None))
    (order,) = result.orders
    (planned,) = [o for d in result.decisions for o in d.plan.orders]
    assert order.order == planned
    assert (order.refused, order.order.quantity) == ("", 50 * 10**18)
    (fill,) = result.fills
    assert fill.paid <= order.order.quantity * order.order.limit_price_wad // (WAD * 10**12)
    gained = result.attribution.closing - result.attribution.opening
    assert gained == 50 * 200 * 10**6 - fill.paid


def test_a_supply_that_is_wanted_is_made_through_the_mandate() -> None:
    wants = Target(
        Lane.ROUTINE,
        None,
        None,
        "lend",
        supplies=(SupplyTarget("lending", BacktestSpec().asset.address, Raw(10**11)),),
    )
    result = run(path(2_000, 2_000, 2_000), Always(wants), spec(None))
    assert result.steps["supplied"][-1] == pytest.approx(100_000, rel=1e-5)
    assert len(rebalances(result)) == 1


def test_events_out_of_order_or_impossible_are_named() -> None:
    with pytest.raises(MarketDataError, match="sort the events"):
        run(list(reversed(path(1, 2, 3))), Still())
    with pytest.raises(MarketDataError, match="event 1 has price 0"):
        run([*path(2_000), PriceEvent(START + 1, 0)], Still())
    with pytest.raises(MarketDataError, match="no price"):
        run([], Still())
    with pytest.raises(MarketDataError, match="no price"):
        run([GasEvent(START, 1)], Still())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: BacktestSpec(holdings=Holdings()), "starts with nothing"),
        (lambda: BacktestSpec(holdings=Holdings(idle_asset=-1, idle_base=2)), "negative"),
        (lambda: BacktestSpec(chain=ChainSpec(latency_blocks=0)), "latency"),
        (lambda: levered(BacktestSpec(), 1.02, price(FIRST)), "stops lending"),
    ],
)
def test_a_world_that_cannot_be_is_refused(make: object, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        make()  # type: ignore[operator]


def test_what_a_strategy_raises_is_raised() -> None:
    def broken(market: MarketState, risk: RiskReport) -> Target:
        raise ZeroDivisionError("a strategy's own mistake")

    with pytest.raises(ZeroDivisionError):
        run_backtest(spec(), path(2_000), broken, default_policies())


def test_a_round_comes_so_long_after_the_market_moved() -> None:
    late = replace(spec(None), oracle=replace(BacktestSpec().oracle, latency_s=30))
    events = [*path(2_000, 2_100), PriceEvent(START + HOUR + 31, price(2_100))]
    result = run(events, Still(), late)
    assert result.steps["market"].tolist() == [2_000, 2_100, 2_100]
    assert result.steps["oracle"].tolist() == [2_000, 2_000, 2_100]
