"""Every check is named with its values; without faults prices may be traded on."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from keeper.market import build_market, spot_price_wad
from keeper.market.build import DEBT_IS_DUST_WAD
from keeper.model.market import PriceFault, Readings
from keeper.model.units import INFINITE_HEALTH, WAD, Bps, Wad
from tests.builders import NOW, make_feed, make_pool, make_price, make_readings, market_policy, wad

Change = Callable[[Readings], Readings]


def with_price(**changes: object) -> Change:
    return lambda r: replace(r, price=replace(r.price, **changes))  # type: ignore[arg-type]


def with_base_feed(**changes: object) -> Change:
    return lambda r: replace(
        r,
        price=replace(r.price, base=replace(r.price.base, **changes)),  # type: ignore[arg-type]
    )


def with_sequencer(**changes: object) -> Change:
    return lambda r: replace(
        r,
        price=replace(r.price, sequencer=replace(r.price.sequencer, **changes)),  # type: ignore[arg-type]
    )


CASES: dict[str, tuple[Change, str]] = {
    "wrong chain": (lambda r: replace(r, chain_id=1), "chain id 1, not 31337"),
    "venue unreadable": (lambda r: replace(r, venue_readable=False), "lending venue"),
    "venue contradicts positions": (
        lambda r: replace(r, account=replace(r.account, health_wad=wad(1.4))),
        "health 1.4000, its positions at the oracle price say 1.2450",
    ),
    "feed unreadable": (
        with_base_feed(fault=PriceFault.UNREADABLE),
        "ETH / USD feed .* could not be read",
    ),
    "zero answer": (with_base_feed(answer=0), "answers 0, a price must be positive"),
    "negative answer": (with_base_feed(answer=-5), "answers -5"),
    "round never answered": (with_base_feed(updated_at=0), "incomplete round 10"),
    "round carried over": (with_base_feed(answered_in_round=9), "answered in round 9"),
    "stale by the keeper's age": (
        with_base_feed(updated_at=NOW - 3_901),
        "is 3901 s old, at most 3900 s",
    ),
    "stale by the vault's age": (
        with_base_feed(updated_at=NOW - 901, max_age_s=900),
        "is 901 s old, at most 900 s",
    ),
    "answer at the feed's own bound": (
        with_base_feed(answer=10**6),
        "answers 1000000, outside of 1000000 to 100000000000000",
    ),
    "sequencer down": (
        with_sequencer(fault=PriceFault.SEQUENCER_DOWN, since=NOW - 90),
        "the sequencer is down, for 90 s",
    ),
    "sequencer just up": (
        with_sequencer(fault=PriceFault.SEQUENCER_GRACE, since=NOW - 90, grace_s=3_600),
        "up for 90 s, feeds are trusted after 3600 s",
    ),
    "sequencer unreadable": (
        with_sequencer(fault=PriceFault.UNREADABLE),
        "sequencer's uptime feed .* could not be read",
    ),
    "options cannot be valued": (
        lambda r: replace(r, options=replace(r.options, value=None)),
        "options behind desk .* could not be valued",
    ),
    "vault in the middle of a call": (
        lambda r: replace(r, measure=None),
        "the vault cannot value itself",
    ),
    "from the future": (with_base_feed(updated_at=NOW + 7), "dated 7 s after the block"),
    "sources disagree": (
        lambda r: replace(r, price=make_price(2_000, twap=1_960)),
        "sources disagree: oracle 2,000.00, average of 1800 s 1,960.00, 200 bps apart, at most 150",
    ),
    "sources disagree by the vault's own figure": (
        with_price(deviation_bps=Bps(151)),
        "151 bps apart",
    ),
    "sources disagree though the vault says they do not": (
        with_price(twap_wad=wad(1_960), deviation_bps=Bps(0)),
        "200 bps apart, at most 150",
    ),
    "no average": (with_price(twap_wad=Wad(0)), "no average over 1800 s"),
    "pool unreadable": (
        lambda r: replace(r, pool_readable=False),
        "swap pool .* could not be read",
    ),
    "pool empty": (
        lambda r: replace(r, pool=replace(r.pool, liquidity=0)),
        "no price or no liquidity",
    ),
    "pool off the oracle": (
        lambda r: replace(r, pool=make_pool(1_960)),
        "pool trades at 1,960.00, oracle says 2,000.00",
    ),
    "oracle fault of a new kind": (with_price(fault=PriceFault.DEVIATES), "refuses the price: dev"),
    "nav unreadable": (lambda r: replace(r, nav_valid=False), "cannot value itself"),
}


def test_healthy_readings_have_no_fault() -> None:
    market = build_market(make_readings(), market_policy())
    assert market.faults == ()
    assert market.tradable


@pytest.mark.parametrize("name", CASES)
def test_names_the_fault_with_its_values(name: str) -> None:
    change, message = CASES[name]
    market = build_market(change(make_readings()), market_policy())
    assert not market.tradable
    assert len(market.faults) == 1
    assert re.search(message, market.faults[0]), market.faults[0]


def test_names_every_fault_and_not_the_first() -> None:
    readings = make_readings()
    feed = make_feed(age_s=9_000)
    price = replace(readings.price, base=feed, fault=PriceFault.STALE)
    readings = replace(readings, chain_id=5, pool_readable=False, price=price)
    faults = build_market(readings, market_policy()).faults
    assert len(faults) == 3
    assert any("9000 s old" in fault for fault in faults)


def test_an_unreadable_price_is_said_once_and_crashes_nothing() -> None:
    readings = make_readings()
    feed = make_feed(answer=0, fault=PriceFault.UNREADABLE)
    price = replace(
        readings.price,
        price_wad=Wad(0),
        twap_wad=Wad(0),
        deviation_bps=Bps(0),
        fault=PriceFault.UNREADABLE,
        base=feed,
    )
    faults = build_market(replace(readings, price=price, nav_valid=False), market_policy()).faults
    assert len(faults) == 1
    assert "could not be read" in faults[0]


def test_the_dollar_feed_keeps_its_own_daily_heartbeat() -> None:
    readings = make_readings()

    def aged(age_s: int) -> Readings:
        quote = make_feed(description="USDC / USD", answer=10**8, age_s=age_s, max_age_s=90_000)
        return replace(readings, price=replace(readings.price, quote=quote))

    assert build_market(aged(80_000), market_policy()).tradable
    assert "USDC / USD" in build_market(aged(90_001), market_policy()).faults[0]


def test_age_and_deviation_at_the_bound_pass() -> None:
    readings = make_readings()
    feed = make_feed(age_s=3_900)
    price = replace(make_price(2_000, twap=1_970), base=feed)
    market = build_market(replace(readings, price=price, pool=make_pool(1_970.01)), market_policy())
    assert market.faults == ()


@pytest.mark.parametrize(
    ("factor", "agrees"), [(0.991, True), (0.989, False), (1.009, True), (1.011, False)]
)
def test_the_venues_health_may_be_one_per_cent_off_its_positions(
    factor: float, agrees: bool
) -> None:
    readings = make_readings()
    health = Wad(int(readings.account.health_wad * factor))
    readings = replace(readings, account=replace(readings.account, health_wad=health))
    assert build_market(readings, market_policy()).tradable is agrees


def test_dust_of_debt_that_the_venue_does_not_see_is_no_contradiction() -> None:
    readings = make_readings(debt_asset=0.000001)
    account = replace(readings.account, health_wad=INFINITE_HEALTH)
    assert build_market(replace(readings, account=account), market_policy()).tradable


def test_a_unit_of_dust_that_the_venue_rounds_up_is_no_contradiction() -> None:
    """Twice the debt to the venue, and both far beyond danger: the vault would otherwise be kept from routine work."""
    readings = make_readings(debt_asset=0.000001)
    health = Wad(readings.account.health_wad // 2)
    account = replace(readings.account, health_wad=health)
    assert health > DEBT_IS_DUST_WAD
    assert build_market(replace(readings, account=account), market_policy()).tradable
    small = replace(readings, account=replace(account, health_wad=Wad(DEBT_IS_DUST_WAD - 1)))
    assert not build_market(small, market_policy()).tradable


def test_debt_that_only_one_side_sees_is_a_contradiction() -> None:
    readings = make_readings()
    account = replace(readings.account, health_wad=INFINITE_HEALTH)
    market = build_market(replace(readings, account=account), market_policy())
    assert "venue says health infinite" in market.faults[0]


@pytest.mark.parametrize("base_is_token0", [False, True])
@pytest.mark.parametrize(("asset_decimals", "base_decimals"), [(6, 18), (18, 18), (8, 6), (6, 8)])
def test_spot_is_asset_per_whole_base(
    asset_decimals: int, base_decimals: int, base_is_token0: bool
) -> None:
    readings = make_readings(
        price=1_234.5,
        asset_decimals=asset_decimals,
        base_decimals=base_decimals,
        base_is_token0=base_is_token0,
    )
    assert abs(spot_price_wad(readings) / WAD / 1_234.5 - 1) < 1e-6


def test_a_pool_without_a_price_has_spot_zero() -> None:
    readings = make_readings()
    assert spot_price_wad(replace(readings, pool=replace(readings.pool, sqrt_price_x96=0))) == 0


APART: dict[str, tuple[Change, bool]] = {
    "sources, by the keeper's own limit": (with_price(twap_wad=wad(1_960)), True),
    "sources, by the vault's limit": (
        with_price(twap_wad=wad(1_960), max_deviation_bps=Bps(199)),
        False,
    ),
    "spot price of the pool": (lambda r: replace(r, pool=make_pool(1_900)), True),
    "sources by the keeper's limit, and a stale feed": (
        lambda r: with_base_feed(updated_at=NOW - 3_901)(with_price(twap_wad=wad(1_960))(r)),
        False,
    ),
    "sources by the keeper's limit, and the vault refuses the price": (
        with_price(twap_wad=wad(1_960), fault=PriceFault.STALE),
        False,
    ),
    "spot price of the pool, and no average": (
        lambda r: replace(with_price(twap_wad=Wad(0))(r), pool=make_pool(1_900)),
        False,
    ),
}


@pytest.mark.parametrize(("change", "protects"), APART.values(), ids=APART.keys())
def test_only_what_the_vault_itself_refuses_stops_protection(
    change: Change, protects: bool
) -> None:
    roomy = with_price(max_deviation_bps=Bps(500))(make_readings())
    market = build_market(change(roomy), market_policy())
    assert not market.tradable
    assert market.protectable is protects
