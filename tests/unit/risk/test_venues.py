"""Liquidation prices: exact, in every direction, for lending and for perpetuals."""

from dataclasses import replace

import pytest

from keeper.model.exposure import BASE, MarginVenue
from keeper.model.ledger import Ledger
from keeper.model.market import Readings
from keeper.model.risk_report import LiquidationRisk, VenueRisk
from keeper.model.units import WAD, Wad
from keeper.risk import assess
from keeper.risk.tempo import wait_of
from keeper.risk.venues import Outlook, lending_risk, margin_risk, outlook_of
from tests.builders import make_market, make_readings
from tests.unit.risk.books import BTC, cash, inputs, perpetual

HOLDINGS = [
    {},
    {"supplied_base": 0, "supplied_asset": 1e6, "debt_asset": 0, "debt_base": 300},
    {"supplied_base": 1_000, "supplied_asset": 5e5, "debt_asset": 1e6, "debt_base": 100},
    {"supplied_base": 100, "supplied_asset": 2e6, "debt_asset": 5e5, "debt_base": 500},
]


def outlook(readings: Readings, volatility: float | None = 0.8) -> Outlook:
    given = inputs(volatility, underlyings=(BTC,))
    return outlook_of(readings, given, wait_of(readings, given.tempo))


def of(venue: VenueRisk, underlying: str) -> LiquidationRisk:
    (found,) = (x for x in venue.liquidations if x.underlying == underlying)
    return found


@pytest.mark.parametrize("holdings", HOLDINGS)
def test_at_the_liquidation_price_of_base_health_is_one(holdings: dict[str, float]) -> None:
    readings = make_readings(**holdings)  # type: ignore[arg-type]
    found = of(lending_risk(readings, outlook(readings)), BASE)
    exact = assess(make_market(readings)).liquidation_price_wad
    assert exact is not None
    assert found.price == pytest.approx(exact / WAD, rel=1e-14)
    there = replace(Ledger.of(readings), price_wad=Wad(exact))
    assert there.threshold_scaled() == pytest.approx(there.debt_scaled() * 10_000, rel=1e-15)
    assert found.direction == ("fall" if exact < readings.price.price_wad else "rise")


@pytest.mark.parametrize("holdings", HOLDINGS)
def test_at_the_liquidation_price_of_the_asset_health_is_one(holdings: dict[str, float]) -> None:
    """A fall of the dollar is a rise of ether in dollars."""
    readings = make_readings(**holdings)  # type: ignore[arg-type]
    venue = lending_risk(readings, outlook(readings))
    asset, base = of(venue, "asset"), of(venue, BASE)
    assert asset.direction != base.direction
    assert asset.price == pytest.approx(2_000.0 / base.price, rel=1e-12)


def test_nothing_owed_is_never_liquidated() -> None:
    readings = make_readings(debt_asset=0)
    venue = lending_risk(readings, outlook(readings))
    assert venue.liquidations == ()
    assert venue.health is None


def test_what_may_be_liquidated_already_has_no_distance() -> None:
    readings = make_readings(price=1_500)
    found = of(lending_risk(readings, outlook(readings)), BASE)
    assert (found.move, found.sigmas, found.probability) == (0.0, 0.0, 1.0)


def test_without_a_volatility_there_is_a_price_and_no_probability() -> None:
    readings = make_readings()
    found = of(lending_risk(readings, outlook(readings, None)), BASE)
    assert found.move == pytest.approx(0.19679, abs=1e-5)
    assert (found.sigmas, found.probability, found.expected_time) == (None, None, None)


def test_an_unreadable_venue_shows_nothing() -> None:
    readings = replace(make_readings(), venue_readable=False)
    venue = lending_risk(readings, None)
    assert (venue.readable, venue.health) == (False, None)


@pytest.mark.parametrize(("quantity", "direction"), [(-20.0, "rise"), (20.0, "fall")])
def test_at_its_liquidation_price_a_perpetual_has_its_maintenance_left(
    quantity: float, direction: str
) -> None:
    held = (cash(10_000.0, "perps"), perpetual(quantity=quantity, entry=1_950.0))
    venue = MarginVenue("perps", 0.05)
    readings = make_readings()
    found = of(margin_risk(venue, held, outlook(readings)), BASE)
    assert found.direction == direction
    equity = 10_000.0 + quantity * (found.price - 1_950.0)
    assert equity == pytest.approx(0.05 * 20.0 * found.price)
    there = make_readings(price=round(found.price, 9))
    assert margin_risk(venue, held, outlook(there)).health == pytest.approx(1.0, abs=1e-8)


def test_positions_that_offset_each_other_share_one_buffer() -> None:
    held = (
        cash(10_000.0, "perps"),
        perpetual(quantity=-20.0),
        perpetual("btc", quantity=1.0, entry=40_000.0, underlying="btc"),
    )
    venue = margin_risk(MarginVenue("perps", 0.05), held, outlook(make_readings()))
    assert {(x.underlying, x.direction) for x in venue.liquidations} == {(BASE, "rise"), ("btc", "fall")}  # fmt: skip
