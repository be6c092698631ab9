"""Vaults with options and perpetuals, so that a test names only what it is about."""

from dataclasses import replace

import numpy as np

from keeper.model.exposure import ASSET, BASE, Exposure, Kind, RiskInputs, Underlying
from keeper.model.market import BookValue, OptionPosition, Options, Readings
from keeper.model.units import WAD, Raw, Wad
from keeper.quant import black
from keeper.risk.book import Book
from tests.builders import NOW, NOWHERE, dollars, ether, make_readings, settled, wad

YEAR = 365 * 86_400


def option(
    name: str = "call",
    *,
    quantity: float = -10.0,
    strike: float = 2_200.0,
    days: float = 30.0,
    volatility: float | None = 0.8,
    is_call: bool = True,
    venue: str = "options",
) -> Exposure:
    return Exposure(
        name, Kind.OPTION, venue, BASE, quantity, is_call, strike, days / 365, volatility
    )


def perpetual(
    name: str = "short",
    *,
    quantity: float = -20.0,
    entry: float = 2_000.0,
    rate: float = 0.1,
    underlying: str = BASE,
    venue: str = "perps",
) -> Exposure:
    return Exposure(name, Kind.PERPETUAL, venue, underlying, quantity, entry=entry, rate=rate)


def cash(amount: float, venue: str = "vault") -> Exposure:
    return Exposure(f"cash-{venue}", Kind.CASH, venue, ASSET, amount)


BTC = Underlying("btc", 40_000.0, 0.6, 0.8)


def mixed_book(volatility: float = 0.8) -> Book:
    """Cash, spot, a loan, calls, puts, a spread, perpetuals on two underlyings."""
    return Book(
        (
            cash(50_000.0),
            Exposure("spot", Kind.SPOT, "vault", BASE, 30.0),
            Exposure("lent", Kind.SUPPLY, "lending", BASE, 100.0, rate=0.02),
            Exposure("loan", Kind.LOAN, "lending", ASSET, -90_000.0, rate=0.05),
            option(),
            option("put", strike=1_800.0, is_call=False, quantity=-8.0, days=7),
            option("second", strike=2_500.0, quantity=10.0),
            perpetual(),
            perpetual("btc", quantity=0.5, entry=39_000.0, underlying="btc"),
        ),
        2_000.0,
        volatility,
        (BTC,),
    )


def random_book(count: int, seed: int = 1) -> Book:
    """`count` options and perpetuals."""
    g = np.random.default_rng(seed)
    made = [
        option(
            f"o{i}",
            quantity=float(g.normal() * 5),
            strike=float(2_000 * np.exp(g.normal() * 0.3)),
            days=float(g.uniform(0, 180)),
            volatility=float(g.uniform(0.3, 1.5)),
            is_call=bool(g.random() < 0.5),
        )
        if g.random() < 0.9
        else perpetual(f"p{i}", quantity=float(g.normal()))
        for i in range(count)
    ]
    return Book(tuple(made), 2_000.0, 0.8)


def series(
    series_id: str = "1",
    *,
    strike: float = 2_200.0,
    days: float = 30.0,
    sold: float = 10.0,
    volatility: float = 0.8,
    is_call: bool = True,
    second_strike: float = 0.0,
    fault: int = 0,
    awaiting: bool = False,
    price: float = 2_000.0,
) -> OptionPosition:
    """A series marked at a volatility."""
    sign = 1.0 if is_call else -1.0
    unit = float(black.price(price, strike, max(days, 0.0) / 365, volatility, sign))
    if second_strike:
        unit -= float(black.price(price, second_strike, max(days, 0.0) / 365, volatility, sign))
    mark = Raw(0) if fault else dollars(unit * sold)
    return OptionPosition(
        series_id,
        is_call,
        wad(strike),
        Wad(round(second_strike * WAD)),
        NOW + round(days * 86_400),
        ether(sold),
        ether(sold),
        Raw(0),
        mark,
        mark,
        mark,
        0,
        0,
        0,
        fault,
        awaiting,
    )


def with_options(*positions: OptionPosition, readings: Readings | None = None) -> Readings:
    """The vault with these series written, calls covered by base and puts by cash."""
    base = readings or make_readings()
    owed = sum(p.mark_mid for p in positions)
    value = BookValue(
        Raw(sum(p.sold for p in positions if p.is_call)),
        Raw(sum(p.sold * p.strike_wad // WAD // 10**12 for p in positions if not p.is_call)),
        Raw(0),
        Raw(owed),
        Raw(owed),
        Raw(owed),
        0,
        Raw(0),
        Raw(0),
        len(positions),
        False,
    )
    options = Options(NOWHERE, value, volatility_known=True, positions=positions)
    return settled(replace(base, options=options))


def inputs(volatility: float | None = 0.8, **given: object) -> RiskInputs:
    return RiskInputs(volatility=volatility, **given)  # type: ignore[arg-type]
