"""The vault as a list of exposures: what it holds, owes, lends, has sold, and has been asked for."""

from collections.abc import Iterator

from keeper.model.exposure import ASSET, BASE, Exposure, Kind, RiskInputs
from keeper.model.ledger import Ledger
from keeper.model.market import OptionPosition, Readings
from keeper.model.units import WAD
from keeper.risk.tempo import SECONDS_A_YEAR

IDLE = "vault"
LENDING = "lending"
OPTIONS = "options"
RAY = 10**27


def exposures_of(readings: Readings, inputs: RiskInputs) -> tuple[Exposure, ...]:
    """Every exposure of NAV, those of the inputs last. Zero holdings are left out."""
    found = (*_holdings(readings), *_book(readings), *_options(readings, inputs))
    return (*(e for e in found if e.quantity != 0.0), *inputs.exposures)


def waiting_deposits(readings: Readings) -> Exposure | None:
    """Cash of deposits not settled yet: not part of NAV."""
    units = readings.depositors.pending_deposits
    if units <= 0:
        return None
    amount = units / 10**readings.asset.decimals
    return Exposure("deposits-waiting", Kind.REQUEST, IDLE, ASSET, amount)


def waiting_redemptions(readings: Readings) -> float:
    """Part of the shares that waits to be redeemed, 0 to 1."""
    if readings.total_shares <= 0:
        return 0.0
    return min(1.0, max(0, readings.depositors.pending_redemptions) / readings.total_shares)


def _holdings(r: Readings) -> Iterator[Exposure]:
    ledger = Ledger.of(r)
    for name, holding, position in (
        (ASSET, ledger.asset, r.asset_position),
        (BASE, ledger.base, r.base_position),
    ):
        unit = 10**holding.decimals
        kind = Kind.CASH if name == ASSET else Kind.SPOT
        yield Exposure(f"idle-{name}", kind, IDLE, name, holding.idle / unit)
        if not r.venue_readable:
            continue
        yield Exposure(
            f"supplied-{name}",
            Kind.SUPPLY,
            LENDING,
            name,
            holding.supplied / unit,
            rate=position.supply_rate_ray / RAY,
        )
        yield Exposure(
            f"debt-{name}",
            Kind.LOAN,
            LENDING,
            name,
            -holding.debt / unit,
            rate=position.borrow_rate_ray / RAY,
        )


def _book(r: Readings) -> Iterator[Exposure]:
    value = r.options.value
    if value is None:
        return
    asset, base = 10**r.asset.decimals, 10**r.base.decimals
    yield Exposure("collateral-base", Kind.SPOT, OPTIONS, BASE, value.collateral_base / base)
    yield Exposure("collateral-asset", Kind.CASH, OPTIONS, ASSET, value.collateral_asset / asset)
    yield Exposure("escrow-asset", Kind.CASH, OPTIONS, ASSET, value.escrow_asset / asset)


def _options(r: Readings, inputs: RiskInputs) -> Iterator[Exposure]:
    given = dict(inputs.option_volatilities)
    for position in r.options.positions:
        yield from _series(r, position, given.get(position.series_id))


def _series(r: Readings, p: OptionPosition, volatility: float | None) -> Iterator[Exposure]:
    """The leg that was sold, and of a spread the leg that bounds it."""
    name = f"option-{p.series_id}"
    left = p.expiry - r.block.timestamp
    if p.awaiting and not p.fault:
        # Settled in all but the transfer: what is owed no longer moves.
        owed = p.mark_mid / 10**r.asset.decimals
        yield Exposure(name, Kind.CASH, OPTIONS, ASSET, -owed)
        return
    problem = ""
    if left <= 0:
        problem = "expired without a settlement price: intrinsic value at today's price"
    elif p.fault:
        problem = f"the desk cannot mark it (fault {p.fault})"
    legs = [(name, p.strike_wad, -1.0)]
    if p.second_strike_wad:
        legs.append((f"{name}-second", p.second_strike_wad, 1.0))
    for leg, strike_wad, side in legs:
        yield Exposure(
            leg,
            Kind.OPTION,
            OPTIONS,
            BASE,
            side * p.sold / 10**r.base.decimals,
            is_call=p.is_call,
            strike=strike_wad / WAD,
            years=max(0, left) / SECONDS_A_YEAR,
            volatility=volatility,
            problem=problem,
        )
