"""The report at its edges: where a sign, a bound, an order or a zero decides."""

import math
from dataclasses import replace

import pytest

from keeper.model.exposure import Dependence, Exposure, Kind, MarginVenue, RiskPolicy, Tempo
from keeper.model.market import Measure, Readings
from keeper.model.risk_report import (
    FailureCost,
    FullReport,
    GreekSet,
    LimitVerdict,
    LiquidityRisk,
    Standing,
    TailRisk,
    VenueRisk,
)
from keeper.model.units import Raw, Wad
from keeper.risk.book import Book, Moves
from keeper.risk.contagion import severities
from keeper.risk.deep import assess_deep
from keeper.risk.limits import at_least, at_most, exposure_limits, policy_limits, worst
from keeper.risk.tempo import wait_of
from tests.builders import NOW, dollars, make_caps, make_market, make_price, make_readings
from tests.unit.risk.books import BTC, cash, inputs, option, perpetual

SAFE = {"supplied_base": 0.0, "debt_asset": 0.0}


def report(readings: Readings | None = None, **given: object) -> FullReport:
    return assess_deep(make_market(readings), inputs(**given))  # type: ignore[arg-type]


def contingency(found: FullReport, name: str) -> float:
    assert found.margin is not None
    return next(c.amount for c in found.margin.contingencies if c.name == name)


# --- scenarios and margin


def test_a_vault_that_gains_in_every_scenario_asks_for_no_margin_and_gives_none() -> None:
    lender = make_readings(**SAFE, supplied_asset=1e6)  # type: ignore[arg-type]
    found = report(lender, policy=RiskPolicy(depeg=0.0)).margin
    assert found is not None
    assert found.scan == 0.0
    assert min(a.amount for a in found.attribution) > 0.0


def test_options_bought_take_nothing_off_the_floor_of_those_sold() -> None:
    legs = (option("sold", quantity=-10.0), option("bought", quantity=10.0, strike=2_500.0))
    found = report(exposures=legs, policy=RiskPolicy(short_option_floor=0.01))
    assert contingency(found, "short options") == pytest.approx(0.01 * 10 * 2_000)


def test_the_age_of_the_price_costs_a_short_vault_as_much_as_a_long_one() -> None:
    long = report(make_readings(**SAFE, idle_base=100))  # type: ignore[arg-type]
    short = report(
        make_readings(**SAFE, idle_asset=1e6),  # type: ignore[arg-type]
        exposures=(perpetual(quantity=-100.0),),
    )
    assert contingency(short, "age of the price") == pytest.approx(
        contingency(long, "age of the price")
    )
    assert contingency(short, "age of the price") > 0.0


def test_a_liquidation_only_an_extreme_would_bring_adds_no_penalty() -> None:
    """Health 2.075: safe at -40 %, not at -60 %."""
    found = report(make_readings(debt_asset=1_200_000))
    health = {s.name: s.health for s in found.scenarios}
    assert health["crash"] is not None
    assert health["crash"] < 1.0 < min(h for n, h in health.items() if h and n != "crash")
    assert contingency(found, "liquidation penalty") == 0.0


def test_the_contingency_of_an_exit_is_that_of_leaving_at_once() -> None:
    found = report(make_readings(depth=1e7))
    assert found.liquidity is not None
    assert contingency(found, "exit") == found.liquidity.exit_cost != found.liquidity.sliced_cost


def test_the_heat_map_is_the_scan_where_they_meet() -> None:
    found = report(exposures=(option(), option("put", is_call=False, strike=1_500.0)))
    assert found.heat_map is not None
    heat = found.heat_map
    by_name = {s.name: s.pnl for s in found.scenarios}
    for spot in heat.spots:
        for volatility in (0.0, 0.5):
            row, column = heat.volatilities.index(volatility), heat.spots.index(spot)
            expected = by_name[f"spot {spot:+.0%} vol {volatility:+.0%}"]
            assert heat.pnl[row][column] == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_health_in_a_scenario_counts_each_token_at_its_own_threshold_and_price() -> None:
    readings = make_readings(supplied_asset=500_000, supplied_base=1_000, debt_asset=1e6)
    fall = next(s for s in report(readings).scenarios if s.name == "spot -20% vol +0%")
    assert fall.health == pytest.approx((500_000 * 0.8 + 1_000 * 0.83 * 1_600) / 1e6, rel=1e-3)


def test_the_heaviest_parts_come_first_whichever_way_they_go() -> None:
    found = report(exposures=(perpetual("long", quantity=50.0), perpetual("short", quantity=-90.0)))
    assert found.margin is not None
    sizes = [abs(a.amount) for a in found.margin.attribution]
    assert sizes == sorted(sizes, reverse=True)
    assert {a.amount > 0.0 for a in found.margin.attribution} == {True, False}


# --- the book


@pytest.mark.parametrize(("fall", "left"), [(-0.95, 0.05), (-0.999, 0.001), (-1.0, 0.001)])
def test_a_price_may_fall_to_a_thousandth_and_no_further(fall: float, left: float) -> None:
    book = Book((Exposure("s", Kind.SPOT, "vault", "base", 1.0),), 2_000.0, 0.8)
    assert float(book.totals(Moves.of(1, spot=fall))[0]) == pytest.approx(2_000.0 * left)


def test_a_depeg_leaves_every_other_underlying_its_worth() -> None:
    book = Book((Exposure("b", Kind.SPOT, "vault", "btc", 1.0),), 2_000.0, 0.8, (BTC,))
    assert float(book.totals(Moves.of(1, depeg=0.25))[0]) == pytest.approx(40_000.0)


def test_second_order_greeks_of_another_underlying_are_for_the_same_relative_move() -> None:
    """Per base token: twentyfold price, twentyfold delta and vanna, its square for gamma."""
    own = option("o", strike=44_000.0)
    here = Book((replace(own, underlying="btc"),), 2_000.0, 0.8, (BTC,)).greeks()[:, 0]
    there = Book((own,), 40_000.0, 0.8).greeks()[:, 0]
    assert here[[1, 6]] == pytest.approx(20.0 * there[[1, 6]], rel=1e-12)
    assert here[2] == pytest.approx(400.0 * there[2], rel=1e-12)
    assert here[[0, 3, 7]] == pytest.approx(there[[0, 3, 7]], rel=1e-12)


def test_the_short_side_of_a_perpetual_earns_what_the_long_side_pays() -> None:
    """Twenty sold at 2,000, ten per cent a year, for a tenth of it."""
    for quantity, earned in ((-20.0, 400.0), (20.0, -400.0)):
        book = Book((perpetual(quantity=quantity, rate=0.1),), 2_000.0, 0.8)
        assert float(book.totals(Moves.of(1, years=0.1))[0]) == pytest.approx(earned)
        assert float(book.greeks()[4, 0]) == pytest.approx(10 * earned)


# --- verdicts


@pytest.mark.parametrize(
    ("value", "bound", "headroom", "standing"),
    [
        (0.0, 0.0, 0.0, Standing.OK),
        (1e-9, 0.0, -1.0, Standing.BREACH),
        (8.0, 10.0, 0.2, Standing.OK),
        (8.1, 10.0, 0.19, Standing.WARN),
        (10.0, 10.0, 0.0, Standing.WARN),
        (10.1, 10.0, -0.01, Standing.BREACH),
        (None, 10.0, None, Standing.UNKNOWN),
        (math.nan, 10.0, None, Standing.UNKNOWN),
    ],
)
def test_a_limit_from_above(
    value: float | None, bound: float, headroom: float | None, standing: Standing
) -> None:
    found = at_most("x", value, bound, 0.8)
    assert found.standing is standing
    assert found.headroom == (None if headroom is None else pytest.approx(headroom))


@pytest.mark.parametrize(
    ("value", "headroom", "standing"),
    [
        (1.0, 0.0, Standing.WARN),
        (0.999, -0.001, Standing.BREACH),
        (1.5, 0.5, Standing.OK),
        (1.499, 0.499, Standing.WARN),
        (None, None, Standing.OK),
    ],
)
def test_a_limit_from_below(
    value: float | None, headroom: float | None, standing: Standing
) -> None:
    found = at_least("x", value, 1.0, 1.5)
    assert found.standing is standing
    assert found.headroom == (None if headroom is None else pytest.approx(headroom))


def test_unknown_is_worse_than_a_warning_and_better_than_a_breach() -> None:
    assert worst((Standing.WARN, Standing.UNKNOWN)) is Standing.UNKNOWN
    assert worst((Standing.UNKNOWN, Standing.BREACH, Standing.OK)) is Standing.BREACH
    assert worst(()) is Standing.OK


MEASURE = Measure(
    True, True, Wad(0), NOW, Wad(0), dollars(4e6), Raw(0), dollars(1e6), Raw(0), Raw(0), Raw(0),
    Raw(0), 0, Raw(0), dollars(1e6), dollars(600_000), dollars(1),
)  # fmt: skip


def exposed(delta: float = -500.0, vega: float = -30_000.0) -> dict[str, LimitVerdict]:
    readings = replace(make_readings(caps=make_caps(max_venue_bps=5_000)), measure=MEASURE)
    greeks = GreekSet(1e6, delta, 0.0, vega, 0.0, 0.0, 0.0, 0.0)
    venue = VenueRisk("lending", True, 1.2, 3e6, 2e6, ())
    limits = exposure_limits(readings, greeks, 2_000.0, venue, RiskPolicy())
    return {v.limit: v for v in limits}


def test_every_mandates_limit_is_of_its_own_whole_and_bound() -> None:
    """Gross 4 millions, NAV one: 3 lent, 2 owed, 1 of options' collateral, 0.6 notional, vega 0.03 short."""
    found = exposed()
    assert {name: v.value for name, v in found.items()} == {
        "delta from its target, of NAV": pytest.approx(1.0),
        "at the venue, of gross": pytest.approx(0.75),
        "debt, of gross": pytest.approx(0.5),
        "options' collateral, of gross": pytest.approx(0.25),
        "vega, of NAV": pytest.approx(0.03),
        "options' notional, of NAV": pytest.approx(0.6),
    }
    assert found["at the venue, of gross"].bound == 0.5
    assert found["debt, of gross"].bound == 0.9


def policy_values(policy: RiskPolicy) -> dict[str, float | None]:
    tail = TailRisk(0.99, 1.0, "", -5.0, 30.0, None, ())
    failures = tuple(FailureCost("f", d, t, None, (), ()) for d, t in ((30.0, 40.0), (10.0, 60.0)))
    exit_risk = LiquidityRisk(1.0, 1.0, 1.0, 1.0, 7, 2.5, "pool", 0.0)
    limits = policy_limits(
        200.0,
        venues=(),
        tail=tail,
        margin=None,
        liquidity=exit_risk,
        contagion=failures,
        wait=wait_of(make_readings(), Tempo()),
        policy=policy,
    )
    return {v.limit: v.value for v in limits}


def test_the_keepers_own_limits_measure_what_they_name() -> None:
    """A gain at the confidence is no negative use; the dearest failure counts with all that hangs on it."""
    found = policy_values(RiskPolicy(max_failure_of_nav=1.0, max_exit_days=9.0))
    assert found["value at risk, of NAV"] == 0.0
    assert found["margin, of NAV"] is None
    assert found["one failure, of NAV"] == pytest.approx(0.3)
    assert found["exit, days"] == 2.5


def test_the_oracles_age_and_the_hearts_silence_are_each_their_own() -> None:
    readings = make_readings(last_beat=NOW - 900)
    limits = {v.limit: v for v in report(readings).limits}
    assert (limits["oracle age, s"].value, limits["oracle age, s"].bound) == (60.0, 3_600.0)
    assert limits["heart's silence, s"].value == 900.0


# --- contagion


def test_a_severity_above_one_is_whole_and_below_zero_is_none() -> None:
    edges = (Dependence("a", "b", 3.0), Dependence("b", "c", 0.5), Dependence("a", "d", -1.0))
    assert {n: s for n, (s, _) in severities("a", edges).items()} == {"a": 1.0, "b": 1.0, "c": 0.5}


def test_failures_reach_as_far_as_the_default_graph_says() -> None:
    found = report(
        exposures=(cash(5_000.0, "perps"), perpetual()),
        margin_venues=(MarginVenue("perps", 0.07),),
        policy=RiskPolicy(depeg=0.2),
    )
    by = {f.node: {s.name: s.amount for s in f.reaches} for f in found.contagion}
    assert by["oracle"]["perps"] == pytest.approx(0.07)
    assert by["pool"]["oracle"] == 1.0
    assert by["asset"]["lending"] == pytest.approx(0.2)
    assert by["asset"]["pool"] == 1.0


# --- exits, wait and the rest


@pytest.mark.parametrize(("part", "shallow"), [(0.19, False), (0.21, True)])
def test_an_exit_of_a_fifth_of_the_pool_is_a_guess(part: float, shallow: bool) -> None:
    readings = make_readings(depth=3e6 / part)
    assert any("lower bound" in p for p in report(readings).problems) is shallow


def test_an_exit_no_budget_ever_allows_takes_no_number_of_days() -> None:
    readings = make_readings(turnover_left=0.5)
    budget = replace(readings.mandate.turnover, capacity_wad=Wad(0))
    found = report(replace(readings, mandate=replace(readings.mandate, turnover=budget)))
    assert found.liquidity is not None
    assert (found.liquidity.horizon_days, found.liquidity.bound_by) == (None, "turnover")


def test_what_the_venue_cannot_pay_out_of_the_asset_is_locked_too() -> None:
    readings = make_readings(supplied_asset=400_000, supplied_base=0, debt_asset=0)
    position = replace(readings.asset_position, available=dollars(100_000))
    found = report(replace(readings, asset_position=position)).liquidity
    assert found is not None
    assert found.locked == pytest.approx(300_000)


def test_leaving_nothing_costs_no_part_of_it() -> None:
    found = report(make_readings(**SAFE, idle_asset=1_000)).liquidity  # type: ignore[arg-type]
    assert found is not None
    assert (found.exit_notional, found.exit_cost, found.exit_cost_share) == (0.0, 0.0, 0.0)


def test_options_are_cut_by_the_day_they_expire() -> None:
    legs = (option("a", days=6.4, quantity=-9.0), option("b", days=6.6, quantity=-1.0))
    cut = next(c for c in report(exposures=legs).concentration if c.by == "expiry")
    assert cut.largest == "6.4 days"
    assert 0.5 < cut.share < 1.0


def test_a_price_dated_after_the_block_has_no_age() -> None:
    price = make_price()
    ahead = replace(price, base=replace(price.base, updated_at=NOW + 40))
    assert wait_of(replace(make_readings(), price=ahead), Tempo()).price_age_s == 0.0


def test_the_profile_is_the_book_now_later_and_at_expiry() -> None:
    """A month's call sold: at the horizon a week of it is lost, at expiry all of its time value."""
    sold = option(strike=2_000.0, quantity=-100.0)
    vault = make_readings(**SAFE, idle_asset=1e6)  # type: ignore[arg-type]
    found = report(vault, exposures=(sold,), policy=RiskPolicy(horizon_days=7.0))
    assert found.profile is not None
    middle = len(found.profile.spots) // 2
    book = Book((sold,), 2_000.0, 0.8)
    for index in (0, middle, -1):
        spot = found.profile.spots[index]
        later = float(book.totals(Moves.of(1, spot=spot / 2_000 - 1, years=7 / 365))[0])
        assert found.profile.value_horizon[index] - 1e6 == pytest.approx(later, abs=1e-6)
        expired = -100.0 * max(spot - 2_000.0, 0.0)
        assert found.profile.value_expiry[index] - 1e6 == pytest.approx(expired, abs=1e-6)
        greeks = book.greeks(spot).sum(axis=1)
        shown = (found.profile.delta, found.profile.gamma, found.profile.vega)
        assert [row[index] for row in shown] == pytest.approx(greeks[1:4].tolist())


def test_positions_beyond_the_vault_are_no_fault_of_its_nav() -> None:
    found = report(exposures=(cash(250_000.0, "perps"),))
    assert not any("the vault says" in p for p in found.problems)
