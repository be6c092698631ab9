"""Vaults with a desk: what is held of options, what is auctioned, and what the oracles say."""

from dataclasses import replace

from keeper.model.decision import Lane, OptionTarget, Target
from keeper.model.desk import (
    Auction,
    DeskState,
    SeriesStatus,
    Settlement,
    VolatilityFault,
    VolatilityMark,
    VolatilityReading,
)
from keeper.model.market import BookValue, MarketState, OptionPosition, Options, Readings
from keeper.model.option_marks import mark_of
from keeper.model.policy import OptionPolicy, PlanningPolicy
from keeper.model.series import Series
from keeper.model.units import WAD, Bps, Raw, Wad
from tests.builders import (
    ASSET,
    BASE,
    NOW,
    make_caps,
    make_readings,
    planning_policy,
    settled,
)

DESK, BOOK, HOUSE, SETTLEMENT, VOLATILITY = (
    f"0x{byte * 20}" for byte in ("d1", "d2", "d3", "d4", "d5")
)
DAY = 86_400
ETHER = 10**18


def series(
    strike: int = 2_200, *, days: float = 7, is_call: bool = True, second: int = 0
) -> Series:
    """A series of the vault's pair."""
    expiry = NOW + round(days * DAY)
    return Series(BASE, ASSET, SETTLEMENT, expiry, is_call, Wad(strike * WAD), Wad(second * WAD))


def wanted(terms: Series, quantity: int) -> OptionTarget:
    """So many base units of a series, short."""
    return OptionTarget(
        terms.is_call, terms.strike_wad, terms.expiry, -quantity, terms.second_strike_wad, "test"
    )


def target(*options: OptionTarget) -> Target:
    """A routine target of these options and nothing else."""
    return Target(Lane.ROUTINE, None, None, "options wanted", options=options)


def volatility(
    *,
    level: float = 0.6,
    fault: VolatilityFault = VolatilityFault.NONE,
    observed_at: int = NOW - 60,
) -> VolatilityReading:
    """Two tenors with a little skew, over a floor of 20 %."""
    marks = tuple(
        VolatilityMark(days * DAY, round(level * 10**6), -1_000, Bps(8_000)) for days in (7, 30)
    )
    return VolatilityReading(
        VOLATILITY, fault, Wad(WAD // 5), Bps(500), observed_at, 3_600, 300, marks
    )


def position(
    terms: Series, *, sold: int, unsold: int = 0, awaiting: bool = False, level: float = 0.6
) -> OptionPosition:
    """A series that is held, marked as the volatility oracle of these tests does."""
    mark = mark_of(volatility(level=level), terms, 2_000 * WAD, NOW)
    value = 0 if mark is None else int(sold * mark.value * 10**6) // ETHER
    return OptionPosition(
        series_id=terms.id,
        is_call=terms.is_call,
        strike_wad=terms.strike_wad,
        second_strike_wad=terms.second_strike_wad,
        expiry=terms.expiry,
        written=Raw(sold + unsold),
        sold=Raw(sold),
        in_auction=Raw(unsold),
        mark_low=Raw(value * 9 // 10),
        mark_mid=Raw(value),
        mark_high=Raw(value * 11 // 10 + 1),
        delta_base=0,
        gamma_base=0,
        vega=0,
        fault=0,
        awaiting=awaiting,
    )


def auction(
    terms: Series,
    *,
    sells: bool = True,
    left: int = ETHER,
    cash: int = 0,
    number: int = 1,
    ends_in_s: int = 1_800,
) -> Auction:
    """One of the desk's auctions; over if it ended before now."""
    end = NOW + ends_in_s
    return Auction(
        number, terms.id, sells, end - 3_600, end, Raw(left), Raw(cash), Wad(100 * WAD)
    )  # fmt: skip


def desk_market(
    *positions: OptionPosition,
    auctions: tuple[Auction, ...] = (),
    known: tuple[Series, ...] = (),
    unknown: tuple[Series, ...] = (),
    settlements: tuple[Settlement, ...] = (),
    surface: VolatilityReading | None = None,
    idle_asset: float = 500_000,
    idle_base: float = 100,
    supplied_base: float = 0,
    debt_asset: float = 0,
    max_option_bps: int = 10_000,
    max_notional_bps: int = 10_000,
    max_vega_bps: int = 5_000,
    max_series: int = 8,
    max_delta_bps: int = 6_000,
    loss_budget_left: float = 50_000,
    last_routine_at: int = 0,
    cooldown_s: int = 0,
    faults: tuple[str, ...] = (),
) -> MarketState:
    """A vault of half a million dollars and a hundred ether, unlevered unless said."""
    state = DeskState(
        BOOK,
        HOUSE,
        SETTLEMENT,
        surface or volatility(),
        auctions,
        (
            *(SeriesStatus(s.id, exists=True) for s in known),
            *(SeriesStatus(s.id, exists=False) for s in unknown),
        ),
        settlements,
    )
    readings = make_readings(
        idle_asset=idle_asset,
        idle_base=idle_base,
        supplied_base=supplied_base,
        debt_asset=debt_asset,
        caps=replace(make_caps(cooldown_s=cooldown_s), max_option_bps=Bps(max_option_bps)),
        loss_budget_left=loss_budget_left,
        last_routine_at=last_routine_at,
        book=_book(positions, auctions),
    )
    limits = replace(
        readings.mandate.terms.options,
        max_tenor_s=30 * DAY,
        max_notional_bps=Bps(max_notional_bps),
        max_vega_bps=Bps(max_vega_bps),
        max_delta_bps=Bps(max_delta_bps),
        buy_back_premium_bps=Bps(500),
        max_series=max_series,
    )
    terms = replace(readings.mandate.terms, options=limits)
    options = Options(DESK, readings.options.value, True, positions, state)
    readings = replace(readings, mandate=replace(readings.mandate, terms=terms), options=options)
    return MarketState(_measured(readings), faults)


def _book(positions: tuple[OptionPosition, ...], auctions: tuple[Auction, ...]) -> BookValue:
    base = asset = 0
    for p in positions:
        terms = Series(
            BASE, ASSET, SETTLEMENT, p.expiry, p.is_call, p.strike_wad, p.second_strike_wad
        )
        held = terms.collateral_up(p.written, 18, 6)
        base, asset = (base + held, asset) if p.is_call else (base, asset + held)
    owed = sum(p.mark_mid for p in positions)
    return BookValue(
        collateral_base=Raw(base),
        collateral_asset=Raw(asset),
        escrow_asset=Raw(sum(a.cash for a in auctions if not a.sells)),
        liability_low=Raw(owed),
        liability_mid=Raw(owed),
        liability_high=Raw(owed),
        delta_base=0,
        vega=Raw(0),
        notional_base=Raw(sum(p.sold for p in positions)),
        open_series=len(positions),
        awaiting=any(p.awaiting for p in positions),
    )


def _measured(readings: Readings) -> Readings:
    """With the measure the mandate takes of the options: what is unsold counts as sold."""
    readings = settled(readings)
    assert readings.measure is not None
    positions, price = readings.options.positions, int(readings.price.price_wad)
    written = sum(p.written for p in positions)
    book = readings.options.value
    assert book is not None
    measure = replace(
        readings.measure,
        notional=Raw(-(-written * price * 10**6 // (ETHER * WAD))),
        option_collateral=Raw(
            book.collateral_asset + book.collateral_base * price * 10**6 // (ETHER * WAD)
        ),
    )
    return replace(readings, measure=measure)


def option_policy(**options: int) -> PlanningPolicy:
    """Writes at once, unless told otherwise; two dollars are worth a move."""
    terms = replace(OptionPolicy(start_window_s=0, max_writes=8), **options)
    return replace(planning_policy(), options=terms)
