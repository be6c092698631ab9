"""The full report: sums, scenarios, margin, tails, exits; and what it says when something is missing."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from keeper.errors import QuantityError
from keeper.model.exposure import MarginVenue, RiskPolicy
from keeper.model.market import PriceFault, Readings
from keeper.model.risk_report import (
    SCHEMA,
    FullReport,
    Measure,
    ModuleResult,
    Standing,
)
from keeper.model.units import Bps, Raw, Wei
from keeper.risk.book import GREEKS
from keeper.risk.deep import assess_deep, with_modules
from keeper.risk.scenarios import standard_scenarios
from tests.builders import dollars, make_caps, make_market, make_price, make_readings
from tests.unit.risk.books import BTC, cash, inputs, option, perpetual, series, with_options

RICH = inputs(
    underlyings=(BTC,),
    exposures=(
        cash(40_000.0, "perps"),
        perpetual(),
        perpetual("btc", quantity=0.5, entry=39_000.0, underlying="btc"),
    ),
    margin_venues=(MarginVenue("perps", 0.05),),
)


def report(readings: Readings | None = None, **given: object) -> FullReport:
    return assess_deep(make_market(readings), inputs(**given))  # type: ignore[arg-type]


def rich() -> FullReport:
    readings = with_options(
        series(),
        series("2", strike=1_800, is_call=False),
        readings=make_readings(idle_asset=50_000),
    )
    return assess_deep(make_market(readings), RICH)


def verdicts(found: FullReport) -> dict[str, Standing]:
    return {v.limit: v.standing for v in found.limits}


def test_positions_sum_to_the_aggregate() -> None:
    found = rich()
    assert found.greeks is not None
    for name in GREEKS:
        total = sum(getattr(p.greeks, name) for p in found.positions if p.in_nav)
        assert getattr(found.greeks, name) == pytest.approx(total, rel=1e-12, abs=1e-9)


def test_the_vault_is_worth_what_it_says_itself() -> None:
    readings = with_options(series(), series("2", is_call=False, strike=1_500))
    found = report(readings)
    assert found.nav == pytest.approx(readings.nav / 1e6, rel=1e-9)
    assert found.problems == ()


def test_positions_that_do_not_add_up_to_nav_are_told_of() -> None:
    readings = replace(make_readings(), nav=dollars(900_000))
    assert any("the vault says 900,000.00" in p for p in report(readings).problems)


def test_what_is_held_beyond_the_readings_counts_as_what_is_given_and_once() -> None:
    """A short perpetual that only the market state knew was in no figure, so a hedged vault looked unhedged."""
    market, extra = make_market(), (perpetual(quantity=-10.0), cash(5_000.0, "perps"))
    given = assess_deep(market, inputs(exposures=extra))
    known = assess_deep(replace(market, holdings=extra), inputs())
    both = assess_deep(replace(market, holdings=extra), inputs(exposures=extra))
    assert given.greeks == known.greeks == both.greeks
    assert given.tail == known.tail == both.tail
    bare = assess_deep(market, inputs())
    assert bare.greeks is not None and given.greeks is not None  # noqa: PT018
    assert given.greeks.delta == pytest.approx(bare.greeks.delta - 10.0)


def test_an_options_volatility_is_implied_by_its_mark() -> None:
    found = report(with_options(series(volatility=0.93)), volatility=0.5)
    (sold,) = (p for p in found.positions if p.kind == "option")
    assert sold.volatility == pytest.approx(0.93, abs=1e-4)


@pytest.mark.parametrize("volatility", [0.35, 0.8, 1.4])
def test_a_spreads_volatility_is_implied_by_the_mark_of_both_legs(volatility: float) -> None:
    readings = with_options(series(second_strike=2_600, volatility=volatility))
    found = report(readings, volatility=0.7)
    legs = [p.volatility for p in found.positions if p.kind == "option"]
    assert legs == pytest.approx([volatility] * 2, abs=2e-4)
    assert found.nav == pytest.approx(readings.nav / 1e6, abs=0.02)


def test_a_spread_marked_beyond_any_volatility_takes_the_forecast() -> None:
    dear = replace(series(second_strike=2_600), mark_mid=dollars(3_999.99))
    found = report(with_options(dear), volatility=0.7)
    assert {p.volatility for p in found.positions if p.kind == "option"} == {0.7}


def test_a_surface_overrules_the_mark() -> None:
    found = report(with_options(series("7")), option_volatilities=(("7", 0.66),))
    assert next(p.volatility for p in found.positions if p.kind == "option") == 0.66


def test_an_option_without_any_volatility_is_intrinsic_and_told_of() -> None:
    found = report(with_options(series(fault=3, strike=1_900)), volatility=None)
    (sold,) = (p for p in found.positions if p.kind == "option")
    assert sold.greeks.value == pytest.approx(-1_000.0)
    assert any("no volatility is known" in p for p in found.problems)
    assert any("fault 3" in p for p in found.problems)


def test_a_spread_is_bounded_by_its_second_leg() -> None:
    readings = with_options(series(strike=2_200, second_strike=2_500))
    found = report(readings)
    legs = [p for p in found.positions if p.kind == "option"]
    assert [p.quantity for p in legs] == [-10.0, 10.0]
    assert found.profile is not None
    collateral = 1_500 + 10
    top = found.profile.spots[-1]
    payoff = collateral * top - 2_000_000 - 10 * 300
    assert found.profile.value_expiry[-1] == pytest.approx(payoff, rel=1e-9)


def test_an_expired_series_waits_at_its_settled_payoff_or_says_it_is_guessed() -> None:
    settled_one = replace(series(days=-1), awaiting=True, mark_mid=Raw(dollars(500)))
    (row,) = (p for p in report(with_options(settled_one)).positions if "option" in p.id)
    assert (row.kind, row.greeks.value, row.greeks.delta) == ("cash", -500.0, 0.0)
    guessed = report(with_options(replace(series(days=-1, strike=1_900), fault=2, awaiting=True)))
    assert any("expired without a settlement price" in p for p in guessed.problems)


def test_waiting_requests_count_only_after_settlement() -> None:
    readings = make_readings()
    waiting = replace(
        readings.depositors,
        pending_deposits=dollars(100_000),
        pending_redemptions=readings.total_shares // 4,
    )
    found = report(replace(readings, depositors=waiting))
    assert found.greeks is not None
    assert found.greeks_after_requests is not None
    assert found.greeks.value == pytest.approx(1_000_000)
    assert found.greeks_after_requests.value == pytest.approx(850_000)
    assert found.greeks_after_requests.delta == pytest.approx(0.75 * 1_500)


def test_the_worst_of_the_scan_is_the_worst() -> None:
    found = rich()
    assert found.margin is not None
    assert len(found.scenarios) >= 31
    share = RiskPolicy().extreme_share
    counted = [s.pnl * (share if s.extreme else 1.0) for s in found.scenarios]
    assert found.margin.scan == pytest.approx(-min(counted))
    assert found.margin.required == pytest.approx(
        found.margin.scan + sum(c.amount for c in found.margin.contingencies)
    )
    assert found.margin.headroom == pytest.approx((found.nav or 0) - found.margin.required)


def test_the_worst_scenario_is_attributed_to_the_last_cent() -> None:
    found = rich()
    assert found.margin is not None
    worst = next(s for s in found.scenarios if s.name == found.margin.worst)
    assert sum(a.amount for a in found.margin.attribution) == pytest.approx(worst.pnl)
    many = tuple(option(f"o{i}", quantity=-0.01) for i in range(80))
    margin = report(exposures=many).margin
    assert margin is not None
    assert margin.attribution[-1].name == "32 others"
    assert sum(a.amount for a in margin.attribution) == pytest.approx(-margin.scan)


def test_a_scenario_is_the_difference_of_two_vaults() -> None:
    """Health and change of NAV at -20 % are those of the vault at that price, less a day of interest."""
    found, there = report(), report(make_readings(price=1_600))
    fall = next(s for s in found.scenarios if s.name == "spot -20% vol +0%")
    assert there.nav is not None
    assert found.nav is not None
    assert fall.pnl == pytest.approx(there.nav - found.nav, abs=200)
    assert fall.health == pytest.approx(there.venues[0].health or 0.0, rel=1e-6)


def test_the_heat_map_and_the_profile_pass_through_today() -> None:
    found = rich()
    assert found.heat_map is not None
    assert found.profile is not None
    row, column = found.heat_map.volatilities.index(0.0), found.heat_map.spots.index(0.0)
    assert abs(found.heat_map.pnl[row][column]) < 0.001 * (found.nav or 0)
    middle = len(found.profile.spots) // 2
    assert found.profile.value_now[middle] == pytest.approx(found.nav or 0)
    assert found.profile.delta[middle] == pytest.approx(found.greeks.delta if found.greeks else 0)


def test_value_at_risk_of_spot_alone_is_its_quantile() -> None:
    """1,500 ether at 80 %: the t(4) quantile of one day, a fall of as much."""
    from scipy.stats import t  # type: ignore[import-untyped]

    found = report().tail
    assert found is not None
    z = float(t.ppf(0.01, 4)) * math.sqrt(0.5)
    exact = -3_000_000 * math.expm1(0.8 * math.sqrt(1 / 365) * z)
    assert found.value_at_risk == pytest.approx(exact, rel=0.03)
    assert found.method == "Student t(4)"
    assert found.var_interval is None


def test_value_at_risk_follows_the_residuals_where_there_are_enough() -> None:
    g = np.random.default_rng(1)
    normal, wild = g.standard_normal(2_000), g.standard_t(2.5, 2_000)
    thin = report(residuals=tuple(normal.tolist())).tail
    fat = report(residuals=tuple(wild.tolist())).tail
    assert thin is not None
    assert fat is not None
    assert thin.method == "filtered history"
    assert thin.var_interval is not None
    assert thin.var_interval[0] <= thin.value_at_risk <= thin.var_interval[1]
    assert fat.value_at_risk > thin.value_at_risk
    assert all(a <= b for a, b in pairwise(thin.losses))


def test_an_exit_costs_more_through_a_shallow_pool_and_takes_longer() -> None:
    deep, shallow = report(make_readings(depth=1e9)), report(make_readings(depth=1e7))
    assert deep.liquidity is not None
    assert shallow.liquidity is not None
    assert shallow.liquidity.exit_cost > deep.liquidity.exit_cost
    assert shallow.liquidity.slices > deep.liquidity.slices
    assert shallow.liquidity.sliced_cost < shallow.liquidity.exit_cost
    assert any("lower bound" in p for p in shallow.problems)


@pytest.mark.parametrize(
    ("given", "bound_by"),
    [
        ({"turnover_left": 0.5}, "turnover"),
        ({"loss_budget_left": 10}, "losses"),
        ({"available": 1_000}, "venue"),
    ],
)
def test_what_bounds_an_exit_is_named(given: dict[str, float], bound_by: str) -> None:
    found = report(make_readings(**given)).liquidity  # type: ignore[arg-type]
    assert found is not None
    assert found.bound_by == bound_by


def test_an_empty_pool_leaves_the_exit_unknown() -> None:
    readings = replace(make_readings(), pool_readable=False)
    found = report(readings, policy=RiskPolicy(max_exit_days=1.0))
    assert found.liquidity is None
    assert verdicts(found)["exit, days"] is Standing.UNKNOWN
    assert any("pool cannot be read" in p for p in found.problems)


@pytest.mark.parametrize("fault", [f for f in PriceFault if f is not PriceFault.NONE])
def test_with_a_fault_in_the_price_nothing_is_valued(fault: PriceFault) -> None:
    readings = make_readings()
    broken = replace(readings, price=replace(readings.price, fault=fault))
    found = assess_deep(make_market(broken, faults=("the feed is old",)), inputs())
    assert found.standing is Standing.UNKNOWN
    assert (found.nav, found.greeks, found.margin, found.tail) == (None, None, None, None)
    assert found.venues[0].health == pytest.approx(1.245)
    assert found.problems[0] == "the feed is old"
    assert any("nothing is valued" in p for p in found.problems)


def test_without_a_price_at_all_nothing_is_valued() -> None:
    found = report(make_readings(price=0))
    assert found.standing is Standing.UNKNOWN
    assert found.nav is None


def test_an_unreadable_venue_leaves_health_unknown() -> None:
    found = report(replace(make_readings(), venue_readable=False))
    assert found.standing is Standing.UNKNOWN
    assert verdicts(found)["health"] is Standing.UNKNOWN


def test_without_a_forecast_probabilities_and_tails_are_unknown_and_never_zero() -> None:
    found = report(volatility=None)
    assert found.tail is None
    assert found.collateral is None
    assert verdicts(found)["value at risk, of NAV"] is Standing.UNKNOWN
    assert verdicts(found)["liquidation before an action"] is Standing.UNKNOWN


@pytest.mark.parametrize("volatility", [float("nan"), -0.5, 0.0, 11.0, float("inf")])
def test_a_senseless_forecast_is_refused(volatility: float) -> None:
    with pytest.raises(QuantityError, match="volatility"):
        report(volatility=volatility)


def test_a_vault_of_nothing_is_reported() -> None:
    found = report(make_readings(supplied_base=0, debt_asset=0))
    assert found.nav == 0.0
    assert any("NAV is 0.00" in p for p in found.problems)
    assert verdicts(found)["delta from its target, of NAV"] is Standing.UNKNOWN


def test_a_vault_under_water_has_no_shares_of_nav() -> None:
    found = report(make_readings(price=1_000))
    assert found.nav == pytest.approx(-500_000)
    assert verdicts(found)["margin, of NAV"] is Standing.UNKNOWN
    assert verdicts(found)["health"] is Standing.BREACH
    assert found.standing is Standing.BREACH


def test_ten_thousand_positions_are_all_there() -> None:
    many = tuple(
        option(f"o{i}", quantity=0.001 * (-1) ** i, strike=1_000.0 + i / 5) for i in range(10_000)
    )
    found = report(exposures=many)
    assert len(found.positions) == 10_002
    assert found.margin is not None
    assert sum(a.amount for a in found.margin.attribution) == pytest.approx(
        next(s.pnl for s in found.scenarios if s.name == found.margin.worst)
    )


def test_a_fault_that_leaves_a_price_still_keeps_the_report_from_standing_well() -> None:
    calm = inputs(policy=RiskPolicy(max_var_of_nav=None, max_margin_of_nav=None))
    found = assess_deep(make_market(faults=("sources disagree",)), calm)
    assert assess_deep(make_market(), calm).standing is Standing.WARN
    assert found.standing is Standing.UNKNOWN
    assert found.problems == ("sources disagree",)
    assert found.nav == 1_000_000


def test_an_exit_takes_as_long_as_its_budget_refills() -> None:
    """3,000,000 to sell, half of NAV left of a turnover that refills 20 NAV a day: 2,500,000 / 20,000,000."""
    found = report(make_readings(turnover_left=0.5)).liquidity
    assert found is not None
    assert found.horizon_days == pytest.approx(2.5e6 / 2e7)


def test_limits_warn_before_they_break() -> None:
    wide = make_readings(caps=make_caps(delta_band_bps=35_000))
    tight = make_readings(caps=make_caps(delta_band_bps=29_000))
    assert verdicts(report(wide))["delta from its target, of NAV"] is Standing.WARN
    assert verdicts(report(tight))["delta from its target, of NAV"] is Standing.BREACH


def test_headroom_is_the_part_of_the_bound_that_is_left() -> None:
    readings = make_readings(caps=make_caps(delta_band_bps=40_000))
    found = next(v for v in report(readings).limits if v.limit.startswith("delta"))
    assert found.value == pytest.approx(3.0)
    assert found.bound == 4.0
    assert found.headroom == pytest.approx(0.25)


def test_a_keeper_that_cannot_pay_is_a_breach() -> None:
    poor = replace(make_readings(), keeper_balance_wei=Wei(0))
    assert verdicts(report(poor))["keeper cannot pay for protection"] is Standing.BREACH


def test_a_full_venue_is_concentrated() -> None:
    by = {c.by: c for c in report().concentration}
    assert (by["venue"].largest, by["venue"].share) == ("lending", 1.0)
    assert by["underlying"].herfindahl == pytest.approx(0.6**2 + 0.4**2)


def test_a_veto_breaches_and_a_silent_module_is_unknown() -> None:
    calm = report(policy=RiskPolicy(max_var_of_nav=None, max_margin_of_nav=None))
    assert calm.standing is Standing.WARN
    veto = ModuleResult("m", Standing.BREACH, "no", (Measure("x", 1.0, ""),), "")
    silent = ModuleResult("m", Standing.UNKNOWN, "", (), "gave no answer")
    assert with_modules(calm, (veto,)).standing is Standing.BREACH
    assert with_modules(calm, (veto,)).vetoes == ("m: no",)
    assert with_modules(calm, (silent,)).standing is Standing.UNKNOWN


def test_the_same_market_gives_the_same_report() -> None:
    assert rich() == rich()
    assert rich().schema == SCHEMA


def test_scenario_names_are_unique_and_the_grid_is_complete() -> None:
    scenarios = standard_scenarios(RiskPolicy())
    assert len({s.name for s in scenarios}) == len(scenarios) >= 31
    for field in ("skew", "correlation", "depeg", "funding", "rates"):
        values = [getattr(s, field) for s in scenarios]
        assert any(v != 0.0 and not math.isnan(v) for v in values)


def test_the_age_of_the_price_costs_margin() -> None:
    readings = make_readings()
    old = replace(readings, price=make_price(2_000))
    aged = replace(
        old,
        price=replace(
            old.price, base=replace(old.price.base, updated_at=old.price.base.updated_at - 3_000)
        ),
    )

    def contingency(r: Readings) -> float:
        margin = report(r).margin
        assert margin is not None
        return next(c.amount for c in margin.contingencies if c.name == "age of the price")

    assert contingency(aged) > contingency(old) > 0


def test_liquidation_in_the_scan_adds_the_venues_penalty() -> None:
    safe = make_readings(debt_asset=200_000)
    for readings, penalty in ((make_readings(), 100_000.0), (safe, 0.0)):
        margin = report(readings).margin
        assert margin is not None
        found = next(c.amount for c in margin.contingencies if c.name == "liquidation penalty")
        assert found == pytest.approx(penalty)


def test_bps_of_builders_are_what_the_penalty_reads() -> None:
    assert make_readings().base_position.liquidation_bonus_bps == Bps(10_500)
