"""One vault worked by hand: 1,500 ether supplied at 2,000, two millions owed, health 1.245."""

import math
from dataclasses import replace

import numpy as np
import pytest

from keeper.model.exposure import MarginVenue, RiskInputs, RiskPolicy, Tempo
from keeper.model.market import Readings
from keeper.model.risk_report import FullReport, Jumps, LimitVerdict, ModuleResult, Standing
from keeper.model.units import Bps, Raw
from keeper.risk.deep import assess_deep, with_modules
from keeper.risk.distribution import _moves
from keeper.risk.liquidity import Pool
from keeper.risk.passage import hit_probability, jump_probability
from keeper.risk.scenarios import standard_scenarios
from keeper.risk.tempo import SECONDS_A_YEAR, wait_of
from tests.builders import make_caps, make_market, make_readings
from tests.unit.risk.books import BTC, cash, inputs, perpetual, series, with_options


def report(readings: Readings | None = None, **given: object) -> FullReport:
    return assess_deep(make_market(readings), inputs(**given))  # type: ignore[arg-type]


def limit(found: FullReport, name: str) -> LimitVerdict:
    return next(v for v in found.limits if v.limit == name)


def test_a_keeper_the_vault_refuses_cannot_protect_it() -> None:
    readings = make_readings()
    refused = replace(readings, mandate=replace(readings.mandate, keeper_allowed=False))
    assert wait_of(readings, Tempo()).keeper_can_pay
    assert not wait_of(refused, Tempo()).keeper_can_pay


@pytest.mark.parametrize("first", [True, False])
def test_the_pools_cost_is_that_of_the_swap_either_way_round(first: bool) -> None:
    """What the pool's own step (Uniswap v3, 6.2.3) pays for 500 ether, its fee taken from what goes in."""
    readings = make_readings()
    pool = readings.pool
    if pool.base_is_token0 is not first:
        flipped = 2**192 // pool.sqrt_price_x96
        pool = replace(pool, base_is_token0=first, sqrt_price_x96=flipped)
    root = pool.sqrt_price_x96 / 2**96
    into = 500 * 10**18 * (1 - pool.fee_pips / 1e6)
    if first:
        after = pool.liquidity * root / (pool.liquidity + into * root)
        out = pool.liquidity * (root - after)
        value = 500 * 10**18 * root**2
    else:
        after = root + into / pool.liquidity
        out = pool.liquidity * (1 / root - 1 / after)
        value = 500 * 10**18 / root**2
    found = Pool.of(replace(readings, pool=pool))
    assert found is not None
    assert found.cost(500.0) == pytest.approx(1 - out / value, rel=0.02)


def test_a_slice_moves_the_price_by_no_more_than_allowed() -> None:
    """Twice its part of the reserve; one slice less would move it further; each waits for the pool once."""
    readings = make_readings(depth=5e7)
    pool, found = Pool.of(readings), report(readings).liquidity
    assert pool is not None
    assert found is not None
    assert found.slices > 1
    allowed = RiskPolicy().slice_impact_bps / 10_000
    assert 2 * 1_500 / found.slices / pool.base <= allowed * (1 + 1e-12)
    assert 2 * 1_500 / (found.slices - 1) / pool.base > allowed
    if found.bound_by == "pool":
        assert found.horizon_days == pytest.approx(found.slices * 60 / 86_400)
    each = found.slices * 2_000 * (1_500 / found.slices) * pool.cost(1_500 / found.slices)
    assert found.sliced_cost == pytest.approx(each)


def test_an_exit_waits_for_the_pool_once_a_slice() -> None:
    found = report(make_readings(debt_asset=100_000, supplied_base=100)).liquidity
    assert found is not None
    assert (found.slices, found.bound_by) == (1, "pool")
    assert found.horizon_days == pytest.approx(60 / 86_400)


def test_what_the_venue_cannot_pay_out_is_locked() -> None:
    readings = make_readings()
    short = replace(
        readings, base_position=replace(readings.base_position, available=Raw(1_000 * 10**18))
    )
    found = report(short).liquidity
    assert found is not None
    assert found.locked == pytest.approx(500 * 2_000)
    assert found.horizon_days is None


def test_each_position_earns_or_pays_its_own_rate() -> None:
    readings = make_readings()
    supply = readings.base_position.supply_rate_ray / 10**27
    borrow = readings.asset_position.borrow_rate_ray / 10**27
    assert supply != borrow
    theta = {p.id: p.greeks.theta for p in report(readings).positions}
    assert theta["supplied-base"] == pytest.approx(3e6 * supply)
    assert theta["debt-asset"] == pytest.approx(-2e6 * borrow)


def test_health_warns_under_what_the_wait_asks_for() -> None:
    calm = limit(report(), "health")
    wild = limit(report(make_readings(base_fee_gwei=1_000), volatility=10.0), "health")
    assert calm.standing is Standing.OK
    assert wild.standing is Standing.WARN
    assert wild.headroom == calm.headroom == pytest.approx(1.245 / 1.05 - 1)


def test_the_distance_from_the_delta_target_is_from_the_target() -> None:
    readings = make_readings(caps=make_caps(delta_target_bps=20_000, delta_band_bps=40_000))
    found = limit(report(readings), "delta from its target, of NAV")
    assert found.value == pytest.approx(1.0)  # 3 of NAV, 2 wanted
    assert found.headroom == pytest.approx(0.75)


def test_a_probability_nobody_knows_is_an_unknown_limit() -> None:
    """The asset's own is never known and no part of it."""
    name = "liquidation before an action"
    assert limit(report(volatility=None), name).standing is Standing.UNKNOWN
    assert limit(report(), name).standing is Standing.OK


def test_a_budget_is_used_as_far_as_it_is_not_left() -> None:
    found = limit(report(make_readings(turnover_left=0.5)), "turnover used")
    assert found.value == pytest.approx(19.5)
    assert found.standing is Standing.WARN


@pytest.mark.parametrize("rho", [-1.0, -0.6, 0.0, 0.6, 1.0])
def test_volatility_moves_with_price_as_correlated_as_said(rho: float) -> None:
    z = np.random.default_rng(1).standard_normal(20_000)
    policy = RiskPolicy(spot_volatility_correlation=rho, volatility_of_volatility=0.9)
    moves = _moves(z, 0.8, RiskInputs(0.8, policy=policy))
    shock = np.log1p(moves.volatility)
    assert shock.std() == pytest.approx(0.9 / math.sqrt(365), rel=0.03)
    assert np.corrcoef(shock, np.log1p(moves.spot))[0, 1] == pytest.approx(rho, abs=0.03)


def test_an_options_volatility_is_of_the_middle_mark() -> None:
    one = series()
    skewed = replace(one, mark_low=Raw(0), mark_high=Raw(3 * one.mark_mid))
    (sold,) = (p for p in report(with_options(skewed), volatility=0.5).positions if p.volatility)
    assert sold.volatility == pytest.approx(0.8, abs=1e-6)


@pytest.mark.parametrize("faulty", [True, False])
def test_a_mark_that_is_not_to_be_believed_implies_nothing(faulty: bool) -> None:
    """Of a series the desk cannot mark, or while volatility is unusable: the forecast stands in."""
    readings = with_options(replace(series(), fault=3 if faulty else 0))
    unusable = replace(readings, options=replace(readings.options, volatility_known=faulty))
    (sold,) = (p for p in report(unusable, volatility=0.5).positions if p.volatility)
    assert sold.volatility == 0.5


def test_a_sequencer_fails_only_where_there_is_one() -> None:
    readings = make_readings()
    price = replace(
        readings.price, sequencer=replace(readings.price.sequencer, feed="0x" + "5e" * 20)
    )
    for given, there in ((readings, False), (replace(readings, price=price), True)):
        assert ("sequencer" in {f.node for f in report(given).contagion}) is there


def test_only_what_is_supplied_can_be_seized_at_a_bonus() -> None:
    readings = make_readings()
    dear = replace(
        readings, asset_position=replace(readings.asset_position, liquidation_bonus_bps=Bps(19_000))
    )
    for given in (readings, dear):
        oracle = next(f for f in report(given).contagion if f.node == "oracle")
        assert oracle.total == pytest.approx(100_000)  # 5 % of two millions


def test_the_extremes_and_the_depegs_are_those_documented() -> None:
    found = {s.name: s for s in standard_scenarios(RiskPolicy(depeg=0.2))}
    assert (found["crash"].spot, found["crash"].volatility) == (-0.6, 1.5)
    assert (found["melt-up"].spot, found["melt-up"].volatility) == (1.0, 1.0)
    assert {n for n, s in found.items() if s.extreme} == {"crash", "melt-up"}
    assert found["depeg"].depeg == found["depeg and crash"].depeg == 0.2
    assert found["depeg of a tenth as much"].depeg == pytest.approx(0.02)


def test_base_jumps_and_nothing_else_does() -> None:
    """The wait is 126 s: health 1.245 is 21.9 % of log price away, which no diffusion crosses."""
    jumps = Jumps(20.0, -0.05, 0.06)
    found = report(
        jumps=jumps,
        underlyings=(BTC,),
        exposures=(cash(5_000.0, "perps"), perpetual("btc", quantity=1.0, entry=40_000.0, underlying="btc")),
        margin_venues=(MarginVenue("perps", 0.05),),
    )  # fmt: skip
    wait = found.wait.seconds / SECONDS_A_YEAR
    by = {x.underlying: x for v in found.venues for x in v.liquidations}
    base, other = by["base"], by["btc"]
    distance = math.log(2_000 / base.price)
    expected = jump_probability(distance, 0.8, wait, jumps, rising=False)
    assert base.probability == pytest.approx(expected, rel=1e-9)
    assert base.probability is not None
    assert base.probability > 1e-7
    assert hit_probability(distance, 0.8, wait, rising=False) < 1e-30
    fall = math.log(40_000 / other.price)
    assert other.probability == pytest.approx(
        hit_probability(fall, 0.6, wait, rising=False), rel=1e-6
    )
    assert found.jumps == jumps


def test_no_failure_takes_more_than_there_is() -> None:
    """A million at the venue, half of it owed elsewhere: the vault cannot lose more than its half million."""
    found = report(exposures=(cash(-500_000.0, "vault"),))
    lending = next(f for f in found.contagion if f.node == "lending")
    assert found.nav == pytest.approx(500_000)
    assert lending.total == lending.direct == pytest.approx(500_000)
    assert lending.share_of_nav == pytest.approx(1.0)


def test_a_veto_breaches_however_the_module_says_it_stands() -> None:
    calm = report(policy=RiskPolicy(max_var_of_nav=None, max_margin_of_nav=None))
    veto = ModuleResult("m", Standing.OK, "no", (), "")
    assert with_modules(calm, (veto,)).standing is Standing.BREACH
