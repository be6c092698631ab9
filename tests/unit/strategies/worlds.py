"""Markets a derivatives vault may see: a desk, smiles, a forecast, other venues; each with one thing to change."""

from dataclasses import replace
from typing import Any

from keeper.model.decision import OptionTarget, Target
from keeper.model.exposure import BASE as BASE_UNDERLYING
from keeper.model.exposure import Exposure, Kind
from keeper.model.market import BookValue, MarketState, OptionPosition, Options, Readings
from keeper.model.outlook import Funding, LendingRate, Outlook, PoolQuote, Smile
from keeper.model.risk import RiskReport
from keeper.model.units import WAD, Bps, Raw, Wad
from keeper.risk import assess
from tests.builders import ASSET, BASE, NOW, dollars, ether, make_readings, settled, wad

DESK = "0x" + "de" * 20
DAY = 86_400
NOTHING = BookValue(Raw(0), Raw(0), Raw(0), Raw(0), Raw(0), Raw(0), 0, Raw(0), Raw(0), 0, False)


def vault(*, max_series: int = 8, max_option_bps: int = 10_000, **given: Any) -> Readings:
    """A vault of idle base and assets that may write options; a hundred ether and 300,000 dollars."""
    plain: dict[str, Any] = {
        "supplied_base": 0,
        "debt_asset": 0,
        "idle_base": 100,
        "idle_asset": 300_000,
    }
    readings = make_readings(**(plain | given))
    terms = readings.mandate.terms
    limits = replace(
        terms.options,
        min_tenor_s=3_600,
        max_tenor_s=90 * DAY,
        min_delta_bps=Bps(100),
        max_delta_bps=Bps(7_000),
        max_notional_bps=Bps(15_000),
        max_vega_bps=Bps(10_000),
        max_series=max_series,
    )
    caps = replace(terms.caps, max_option_bps=Bps(max_option_bps))
    mandate = replace(readings.mandate, terms=replace(terms, options=limits, caps=caps))
    return replace(
        readings,
        mandate=mandate,
        options=Options(DESK, NOTHING, volatility_known=True, positions=()),
    )


def smiles(level: float = 0.8, price: float = 2_000, skew: float = -0.1) -> tuple[Smile, ...]:
    """Smiles of a week to four months, dearer on the downside by `skew`."""
    xs = (-0.6, -0.3, -0.1, 0.0, 0.1, 0.3, 0.6)
    points = tuple((x, level + skew * x + 0.3 * x * x) for x in xs)
    return tuple(Smile(NOW + days * DAY, price, points) for days in (3, 14, 45, 120))


def outlook(*, price: float = 2_000, implied: float = 0.8, **given: Any) -> Outlook:
    """All is known, and calm."""
    plain: dict[str, Any] = {
        "volatility": 0.7,
        "volatility_low": 0.55,
        "volatility_high": 0.9,
        "smiles": smiles(implied, price),
        "lending": (
            LendingRate("morpho", ASSET, 0.05, 0.06, 0.77, 0.80, dollars(5e7), dollars(1e7)),
            LendingRate("morpho", BASE, 0.02, 0.025, 0.80, 0.83, ether(5e4), ether(1e4)),
        ),
        "funding": (Funding("perp", 0.25, price, price, 0.03, 0.0005, 5e6, 0.25, 7.0),),
        "pools": (PoolQuote("0x90", 500, price, 50_000.0, 0),),
        "drawdown": 0.0,
        "returns_volatility": 0.2,
    }
    return Outlook(**(plain | given))


def market(
    readings: Readings | None = None,
    *,
    faults: tuple[str, ...] = (),
    holdings: tuple[Exposure, ...] = (),
    seen: Outlook | None = None,
) -> MarketState:
    """A market state as strategies are given it."""
    readings = readings or vault()
    price = readings.price.price_wad / WAD or 2_000
    return MarketState(readings, faults, seen or outlook(price=price), holdings)


def judged(found: MarketState) -> tuple[MarketState, RiskReport]:
    """With its risk report."""
    return found, assess(found)


def ask(strategy: Any, found: MarketState) -> Target:
    """The strategy's target."""
    target = strategy(*judged(found))
    assert isinstance(target, Target)
    return target


def position(
    *,
    is_call: bool = True,
    strike: float = 2_200,
    days: float = 5,
    written: float = 10,
    sold: float | None = None,
    delta: float = 0.0,
    awaiting: bool = False,
    fault: int = 0,
) -> OptionPosition:
    """A series the vault has written; delta of the vault's side, base tokens."""
    return OptionPosition(
        series_id="7",
        is_call=is_call,
        strike_wad=wad(strike),
        second_strike_wad=Wad(0),
        expiry=NOW + round(days * DAY),
        written=ether(written),
        sold=ether(written if sold is None else sold),
        in_auction=Raw(0),
        mark_low=Raw(0),
        mark_mid=Raw(0),
        mark_high=Raw(0),
        delta_base=round(delta * 10**18),
        gamma_base=0,
        vega=0,
        fault=fault,
        awaiting=awaiting,
    )


def with_positions(readings: Readings, *positions: OptionPosition) -> Readings:
    """The vault with these series written; collateral stays out of account but for the delta."""
    book = replace(
        NOTHING,
        delta_base=sum(p.delta_base for p in positions),
        open_series=len(positions),
    )
    options = replace(readings.options, value=book, positions=positions)
    return settled(replace(readings, options=options))


def perpetual(quantity: float, *, venue: str = "perp", entry: float = 2_000) -> Exposure:
    return Exposure("p", Kind.PERPETUAL, venue, BASE_UNDERLYING, quantity, entry=entry)


def option(
    quantity: float, *, is_call: bool = False, strike: float = 1_700, days: float = 20
) -> Exposure:
    return Exposure(
        f"o-{is_call}-{strike:g}",
        Kind.OPTION,
        "exchange",
        BASE_UNDERLYING,
        quantity,
        is_call=is_call,
        strike=strike,
        years=days / 365,
    )


def written_of(target: Target) -> tuple[OptionTarget, ...]:
    """Series the target writes or keeps written."""
    return tuple(one for one in target.options or () if one.quantity < 0)


def bought_of(target: Target) -> tuple[OptionTarget, ...]:
    return tuple(one for one in target.options or () if one.quantity > 0)
