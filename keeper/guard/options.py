"""Moves of options walked through: what the desk would refuse, and what the keeper's own care forbids.

A written series is judged by its terms, which the plan carries; that they are those of the id is checked here, so
that a plan cannot name one series and describe another.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from keeper.model.decision import Move, MoveKind, Plan, Refusal
from keeper.model.desk import DeskState
from keeper.model.ledger import ImpossibleMoveError, Ledger
from keeper.model.market import MarketState, OptionPosition, Readings
from keeper.model.option_marks import mark_of, price_wad_up
from keeper.model.series import Series
from keeper.model.units import BPS, WAD

OPTION_MOVES = frozenset({MoveKind.WRITE, MoveKind.CANCEL, MoveKind.BUY_BACK})


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """The holdings after one move of options, and what it adds; asset units, rounded up."""

    ledger: Ledger
    refusals: tuple[Refusal, ...] = ()
    notional: int = 0
    vega: int = 0


def rehearse_option(
    index: int, move: Move, ledger: Ledger, plan: Plan, market: MarketState
) -> Rehearsed:
    """The move on these holdings; where it is impossible they stay as they were."""
    readings, state = market.readings, market.readings.options.state
    what = f"move {index}: {move.kind.name.lower()}"
    if state is None or not readings.options.has_desk:
        return Rehearsed(ledger, (Refusal("desk", f"{what} without a desk that was read"),))
    try:
        if move.kind is MoveKind.CANCEL:
            return Rehearsed(_cancelled(move, ledger, readings, state))
        if move.kind is MoveKind.BUY_BACK:
            after = _parked(move, ledger, readings)
            return Rehearsed(after, tuple(_against_purchase(what, move, readings)))
        return _written(what, move, ledger, plan, market)
    except ImpossibleMoveError as error:
        return Rehearsed(ledger, (Refusal("impossible-move", f"move {index}: {error}"),))


def both_ways(plan: Plan, market: MarketState) -> tuple[Refusal, ...]:
    """A series that is sold, now or in an auction that stays open, must not be bought back, and the other way round."""
    state = market.readings.options.state
    if state is None:
        return ()
    cancelled = {m.target for m in plan.moves if m.kind is MoveKind.CANCEL}
    left = [a for a in state.auctions if a.auction_id not in cancelled]
    written = {str(m.target) for m in plan.moves if m.kind is MoveKind.WRITE}
    bought = {str(m.target) for m in plan.moves if m.kind is MoveKind.BUY_BACK}
    selling = written | {a.series_id for a in left if a.sells}
    buying = bought | {a.series_id for a in left if not a.sells}
    new = (written & buying) | (bought & selling)
    return tuple(
        Refusal("both-ways", f"series {series_id} would be sold and bought back at once")
        for series_id in sorted(new)
    )


def _scale(readings: Readings) -> int:
    return int(WAD * 10**readings.base.decimals // 10**readings.asset.decimals)


def _position(series_id: str, readings: Readings) -> OptionPosition | None:
    return next((p for p in readings.options.positions if p.series_id == series_id), None)


def _cancelled(move: Move, ledger: Ledger, readings: Readings, state: DeskState) -> Ledger:
    auction = next((a for a in state.auctions if a.auction_id == move.target), None)
    if auction is None:
        raise ImpossibleMoveError(f"auction {move.target} is none of the desk's")
    if not auction.sells:
        return ledger.park(-int(auction.cash))
    position = _position(auction.series_id, readings)
    if position is None:
        return ledger
    terms = _terms(position, readings, state)
    decimals = (readings.base.decimals, readings.asset.decimals)
    left = max(0, position.written - auction.left)
    freed = terms.collateral_up(position.written, *decimals) - terms.collateral_up(left, *decimals)
    token = ledger.base.token if position.is_call else ledger.asset.token
    return ledger.lock(token, -freed)


def _terms(position: OptionPosition, readings: Readings, state: DeskState) -> Series:
    return Series(
        readings.base.address,
        readings.asset.address,
        state.settlement_oracle,
        position.expiry,
        position.is_call,
        position.strike_wad,
        position.second_strike_wad,
    )


# ---------------------------------------------------------------- purchases


def _parked(move: Move, ledger: Ledger, readings: Readings) -> Ledger:
    """The vault hands over what the whole purchase costs at its limit; the desk may take less."""
    return ledger.park(-(-move.amount * move.limit // _scale(readings)))


def _against_purchase(what: str, move: Move, readings: Readings) -> Iterator[Refusal]:
    position = _position(str(move.target), readings)
    if position is None or position.awaiting:
        yield Refusal("series", f"{what} of series {move.target}, which is not open")
        return
    if move.token.lower() != readings.asset.address.lower():
        yield Refusal("token", f"{what} is paid in the vault's asset, not in {move.token}")
    if move.amount > position.sold:
        yield Refusal("amount", f"{what} of {move.amount}, sold are {position.sold}")
    if position.fault or not readings.options.volatility_known:
        yield Refusal("volatility", f"{what} while volatility is unusable")
        return
    premium = readings.mandate.terms.options.buy_back_premium_bps
    high = -(-position.mark_high * _scale(readings) // max(1, position.sold))
    cap = max(int(price_wad_up(0.0)), -(-high * (BPS + premium) // BPS))
    if move.limit > cap:
        yield Refusal(
            "buy-back-price", f"{what} at up to {move.limit}, the auction's own cap is {cap}"
        )


# ---------------------------------------------------------------- sales


def _written(what: str, move: Move, ledger: Ledger, plan: Plan, market: MarketState) -> Rehearsed:
    readings, state = market.readings, market.readings.options.state
    series = next((s for s in plan.series if s.id == str(move.target)), None)
    if series is None or state is None:
        message = f"{what} of series {move.target}, whose terms the plan does not carry"
        return Rehearsed(ledger, (Refusal("series", message),))
    found = [*_against_series(what, series, plan, readings, state)]
    mark = mark_of(
        state.volatility, series, int(readings.price.price_wad), readings.block.timestamp
    )
    if mark is None:
        return Rehearsed(ledger, (*found, Refusal("volatility", f"{what}: no mark for it")))
    limits = readings.mandate.terms.options
    if not limits.min_delta_bps <= mark.first_delta * BPS <= limits.max_delta_bps:
        bounds = f"{limits.min_delta_bps} to {limits.max_delta_bps}"
        message = f"{what}: delta {mark.first_delta * BPS:.0f} bps, the mandate writes {bounds}"
        found.append(Refusal("option-delta", message))
    if move.limit < mark.value * WAD:
        message = f"{what}: the sale starts at {move.limit}, the mark is {mark.value * WAD:.0f}"
        found.append(Refusal("start-price", message))
    token = ledger.base.token if series.is_call else ledger.asset.token
    if move.token.lower() != token.lower():
        found.append(Refusal("token", f"{what} is secured by {token}, not by {move.token}"))
    decimals = (readings.base.decimals, readings.asset.decimals)
    scale = _scale(readings)
    return Rehearsed(
        ledger.lock(token, series.collateral_up(move.amount, *decimals)),
        tuple(found),
        notional=-(-move.amount * int(readings.price.price_wad) // scale),
        vega=-(-move.amount * int(price_wad_up(mark.vega)) // scale),
    )


def _against_series(
    what: str, series: Series, plan: Plan, readings: Readings, state: DeskState
) -> Iterator[Refusal]:
    """What makes a series none of the vault's, or too many."""
    limits, tenor = readings.mandate.terms.options, series.expiry - readings.block.timestamp
    pair = (series.base.lower(), series.quote.lower(), series.oracle.lower())
    own = (readings.base.address, readings.asset.address, state.settlement_oracle)
    if pair != tuple(a.lower() for a in own) or not series.well_formed:
        yield Refusal("series", f"{what} of a series of another pair or oracle, or of none")
    if not limits.min_tenor_s <= tenor <= limits.max_tenor_s:
        bounds = f"{limits.min_tenor_s} to {limits.max_tenor_s} s"
        yield Refusal("tenor", f"{what}: {tenor} s to expiry, the mandate writes {bounds}")
    held = {p.series_id for p in readings.options.positions}
    if series.id not in held and state.exists(series.id) is not True:
        yield Refusal("series", f"{what} of series {series.id}, which is not known to exist")
    after = held | {str(m.target) for m in plan.moves if m.kind is MoveKind.WRITE}
    if series.id not in held and len(after) > limits.max_series:
        yield Refusal(
            "max-series", f"{what}: {len(after)} series would be open of {limits.max_series}"
        )
