"""The risk report: what the vault is worth and what would liquidate it."""

import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.errors import QuantityError
from keeper.model.exposure import RiskInputs
from keeper.model.market import PriceFault, Readings
from keeper.model.units import INFINITE_HEALTH, WAD
from keeper.risk import assess
from keeper.risk.deep import assess_deep
from tests.builders import dollars, ether, make_market, make_price, make_readings, wad


def test_what_a_tick_needs_imports_nothing_heavy() -> None:
    code = (
        "import sys; import keeper.risk; found = {'numba', 'scipy'} & set(sys.modules); "
        "sys.exit(str(found) if found else 0)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr


def test_values_a_leveraged_long_vault() -> None:
    risk = assess(make_market())
    assert risk.nav == dollars(1_000_000)
    assert risk.health_wad == 1_245 * WAD // 1_000
    assert risk.net_delta == ether(1_500)
    assert risk.gross_collateral == dollars(3_000_000)
    assert risk.debt == dollars(2_000_000)
    assert risk.leverage == 3.0
    assert risk.has_position


@pytest.mark.parametrize(
    ("holdings", "price", "fall", "rise"),
    [
        # 1500 x 0.83 x p = 2,000,000
        ({}, 2_000_000 / 1_245, 1 - 2_000_000 / 1_245 / 2_000, None),
        # dollars supplied at 80 %: 1,000,000 x 0.8 = 300 x p
        (
            {"supplied_base": 0, "supplied_asset": 1e6, "debt_asset": 0, "debt_base": 300},
            800_000 / 300,
            None,
            800_000 / 300 / 2_000 - 1,
        ),
        # both supplied, both owed, long: 1000 x 0.83 p + 400,000 = 1,000,000 + 100 p
        (
            {
                "supplied_base": 1_000,
                "supplied_asset": 500_000,
                "debt_asset": 1e6,
                "debt_base": 100,
            },
            600_000 / 730,
            1 - 600_000 / 730 / 2_000,
            None,
        ),
        # both supplied, both owed, short: 100 x 0.83 p + 1,600,000 = 500,000 + 500 p
        (
            {
                "supplied_base": 100,
                "supplied_asset": 2e6,
                "debt_asset": 500_000,
                "debt_base": 500,
            },
            1_100_000 / 417,
            None,
            1_100_000 / 417 / 2_000 - 1,
        ),
    ],
)
def test_liquidation_price_of_any_mix_of_two_tokens(
    holdings: dict[str, float], price: float, fall: float | None, rise: float | None
) -> None:
    risk = assess(make_market(make_readings(**holdings)))  # type: ignore[arg-type]
    assert risk.liquidation_price_wad is not None
    assert risk.liquidation_price_wad / WAD == pytest.approx(price, rel=1e-12)
    assert risk.fall_to_liquidation == (None if fall is None else pytest.approx(fall))
    assert risk.rise_to_liquidation == (None if rise is None else pytest.approx(rise))


def test_no_price_liquidates_what_each_token_secures_itself() -> None:
    readings = make_readings(
        supplied_base=1_000, supplied_asset=1e6, debt_asset=500_000, debt_base=500
    )
    risk = assess(make_market(readings))
    assert risk.liquidation_price_wad is None
    assert risk.fall_to_liquidation is None
    assert risk.rise_to_liquidation is None


def test_every_price_liquidates_debt_that_nothing_secures() -> None:
    readings = make_readings(supplied_base=10, debt_base=20, debt_asset=1_000)
    risk = assess(make_market(readings))
    assert risk.liquidation_price_wad is None
    assert (risk.fall_to_liquidation, risk.rise_to_liquidation) == (0.0, 0.0)


def test_a_vault_that_may_be_liquidated_already_has_no_distance_left() -> None:
    risk = assess(make_market(make_readings(price=1_500)))
    assert risk.health_wad < WAD
    assert risk.fall_to_liquidation == 0.0


def test_no_position_is_infinitely_healthy() -> None:
    readings = make_readings(supplied_base=0, debt_asset=0, idle_asset=1_000)
    risk = assess(make_market(readings))
    assert not risk.has_position
    assert risk.health_wad == INFINITE_HEALTH
    assert risk.nav == dollars(1_000)
    assert risk.liquidation_price_wad is None
    assert risk.leverage == 1.0


def test_an_empty_vault_has_no_leverage() -> None:
    assert assess(make_market(make_readings(supplied_base=0, debt_asset=0))).leverage == 0.0


def test_debt_beyond_all_assets_is_negative_nav_and_infinite_leverage() -> None:
    risk = assess(make_market(make_readings(price=1_000)))
    assert risk.nav == -dollars(500_000)
    assert math.isinf(risk.leverage)


@pytest.mark.parametrize("fault", [f for f in PriceFault if f is not PriceFault.NONE])
def test_health_comes_from_the_venue_while_the_price_is_unusable(fault: PriceFault) -> None:
    readings = make_readings()
    readings = replace(readings, price=make_price(2_000, fault=fault))
    risk = assess(make_market(readings, faults=("unusable",)))
    assert risk.health_wad == readings.account.health_wad
    assert risk.nav is None
    assert (risk.gross_collateral, risk.debt, risk.leverage) == (0, 0, 0.0)
    assert risk.fall_to_liquidation is None
    assert risk.liquidation_price_wad is not None
    assert risk.net_delta == ether(1_500)


def test_an_unreadable_venue_is_reported_as_the_worst() -> None:
    readings = replace(make_readings(), venue_readable=False)
    risk = assess(make_market(readings, faults=("venue",)))
    assert risk.has_position
    assert risk.health_wad == 0
    assert risk.nav is None


def test_reports_the_venues_health_and_not_its_own() -> None:
    readings = make_readings()
    account = replace(readings.account, health_wad=wad(1.2444))
    assert assess(make_market(replace(readings, account=account))).health_wad == wad(1.2444)


@pytest.mark.parametrize("decimals", [(6, 18), (18, 18), (6, 8), (8, 6), (0, 18)])
def test_liquidation_price_does_not_depend_on_decimals(decimals: tuple[int, int]) -> None:
    def price(readings: Readings) -> int:
        at = assess(make_market(readings)).liquidation_price_wad
        assert at is not None
        return at

    scaled = make_readings(asset_decimals=decimals[0], base_decimals=decimals[1])
    assert price(scaled) == price(make_readings())


@given(
    price=st.floats(900, 5_000),
    volatility=st.none() | st.floats(0.05, 5.0),
    base_fee_gwei=st.integers(0, 5_000),
    poor=st.booleans(),
)
@settings(max_examples=25)
def test_the_ticks_report_and_the_full_one_say_the_same(
    price: float, volatility: float | None, base_fee_gwei: int, poor: bool
) -> None:
    """One vault, one truth: whatever is in both is the same figure."""
    readings = make_readings(
        price=price, base_fee_gwei=base_fee_gwei, keeper_balance_eth=0.001 if poor else 10
    )
    market, known = make_market(readings), RiskInputs(volatility=volatility)
    brief, full = assess(market, known), assess_deep(market, known)
    assert brief.collateral == full.collateral
    assert brief.nav is not None
    assert brief.nav / 1e6 == pytest.approx(full.nav, rel=1e-9, abs=1e-5)
    assert full.greeks is not None
    assert brief.net_delta / 1e18 == pytest.approx(full.greeks.delta, rel=1e-9, abs=1e-9)
    assert brief.health_wad / WAD == pytest.approx(full.venues[0].health)
    falls = [x for x in full.venues[0].liquidations if x.underlying == "base"]
    assert brief.liquidation_price_wad is not None
    assert falls[0].price == pytest.approx(brief.liquidation_price_wad / WAD, rel=1e-9)


def test_an_absurd_forecast_is_refused_by_name() -> None:
    for absurd in (0.0, -1.0, 10.1, float("nan"), float("inf")):
        with pytest.raises(QuantityError, match="volatility"):
            assess(make_market(), RiskInputs(volatility=absurd))
