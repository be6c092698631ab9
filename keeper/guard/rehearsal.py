"""The plan walked through on the ledger, every swap giving only its least output."""

from dataclasses import dataclass

from keeper.guard.options import OPTION_MOVES, both_ways, rehearse_option
from keeper.model.decision import Move, MoveKind, Plan, Refusal
from keeper.model.ledger import ImpossibleMoveError, Ledger, changes_price_exposure
from keeper.model.mandate import DUST_UNITS, TOP_UP_TIMES
from keeper.model.market import MarketState
from keeper.model.units import BPS, MAX_UINT256, WAD, wad_float


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The state a plan ends in, whether it needs a price, and what went wrong on the way."""

    before: Ledger
    after: Ledger
    trades_price: bool
    sold_scaled: int
    """Value that swaps sell, in the ledger's scale."""
    bought_asset_scaled: int
    """Least value of the asset that swaps buy, in the ledger's scale."""
    bought_base_scaled: int
    """Least value of base that swaps buy, in the ledger's scale."""
    dust: int
    """Units of either token that the vault leaves to the venue's rounding."""
    refusals: tuple[Refusal, ...]
    notional: int = 0
    """Value of the options written, asset units, rounded up."""
    vega: int = 0
    """Of the same, for a volatility 1.00 higher."""


def rehearse(plan: Plan, market: MarketState) -> Rehearsal:
    """Every move in order; an impossible one is named and passed over."""
    before = ledger = Ledger.of(market.readings)
    refusals: list[Refusal] = []
    trades_price, sold, bought = False, 0, {before.asset.token: 0, before.base.token: 0}
    notional, vega = 0, 0
    for index, move in enumerate(plan.moves):
        refusals += _shape(index, move, market)
        if move.kind in OPTION_MOVES:
            rehearsed = rehearse_option(index, move, ledger, plan, market)
            ledger, trades_price = (
                rehearsed.ledger,
                trades_price or changes_price_exposure(move, ledger),
            )
            notional, vega = notional + rehearsed.notional, vega + rehearsed.vega
            refusals += rehearsed.refusals
            continue
        try:
            refusals += _empty_or_frozen(index, move, ledger)
            exposed = changes_price_exposure(move, ledger)
            value, got = _swap_refusals(index, move, ledger, market, refusals)
            after = ledger.apply(move, received=move.limit)
        except ImpossibleMoveError as error:
            refusals.append(Refusal("impossible-move", f"move {index}: {error}"))
            continue
        trades_price = trades_price or exposed
        sold += value
        bought[_other_token(before, move)] += got
        refusals += _venue_refusals(index, move, after)
        refusals += _price_free(index, move, before, market)
        ledger = after
    return Rehearsal(
        before=before,
        after=ledger,
        trades_price=trades_price,
        sold_scaled=sold,
        bought_asset_scaled=bought[before.asset.token],
        bought_base_scaled=bought[before.base.token],
        dust=len(plan.moves) * DUST_UNITS,
        refusals=(*refusals, *both_ways(plan, market)),
        notional=notional,
        vega=vega,
    )


def _other_token(ledger: Ledger, move: Move) -> str:
    """What a swap of the move's token buys."""
    sells_asset = ledger.holding(move.token).token == ledger.asset.token
    return ledger.base.token if sells_asset else ledger.asset.token


def _shape(index: int, move: Move, market: MarketState) -> list[Refusal]:
    """Amount, adapter and token of one move."""
    readings = market.readings
    found = []
    least = 0 if move.kind is MoveKind.CANCEL else 1
    if not least <= move.amount <= MAX_UINT256 or move.limit < 0:
        found.append(
            Refusal("amount", f"move {index}: amount {move.amount}, least output {move.limit}")
        )
    expected = {MoveKind.SWAP: readings.swap_adapter}.get(move.kind, readings.lending_adapter)
    if move.kind in OPTION_MOVES:
        expected = readings.options.desk
    if move.adapter.lower() != expected.lower():
        message = f"move {index}: {move.kind.name.lower()} through {move.adapter}, not {expected}"
        found.append(Refusal("adapter", message))
    if move.token.lower() not in (readings.asset.address.lower(), readings.base.address.lower()):
        found.append(Refusal("token", f"move {index}: {move.token} is not a token of the vault"))
    return found


def _empty_or_frozen(index: int, move: Move, ledger: Ledger) -> list[Refusal]:
    """What the vault or the venue refuses for the state the move meets."""
    holding, what = ledger.holding(move.token), f"move {index}: {move.kind.name.lower()}"
    found = []
    if move.amount == MAX_UINT256 and ledger.amount_of(move) == 0:
        found.append(Refusal("amount", f"{what} of all there is, and there is nothing"))
    if move.kind in (MoveKind.SUPPLY, MoveKind.BORROW) and holding.frozen:
        found.append(Refusal("frozen", f"{what} of {move.token}, which the venue has frozen"))
    return found


def _swap_refusals(
    index: int, move: Move, ledger: Ledger, market: MarketState, refusals: list[Refusal]
) -> tuple[int, int]:
    """Scaled values that a swap sells and at least buys; refuses one that may lose more than the mandate allows."""
    if move.kind is not MoveKind.SWAP:
        return 0, 0
    sold = ledger.holding(move.token)
    bought = ledger.base if sold.token == ledger.asset.token else ledger.asset
    value = ledger.amount_of(move) * ledger.scale(sold)
    most = market.readings.limits.max_swap_loss_bps
    got = move.limit * ledger.scale(bought)
    if got * BPS < value * (BPS - most):
        lost = BPS - got * BPS // value
        refusals.append(
            Refusal("swap-loss", f"move {index}: may lose {lost} bps, the mandate allows {most}")
        )
    return value, got


def _venue_refusals(index: int, move: Move, after: Ledger) -> list[Refusal]:
    """The venue's own rules: a withdrawal or a loan leaves health at 1, a loan is within its ratio."""
    what, health, found = f"move {index}: {move.kind.name.lower()}", after.health_wad(), []
    if move.kind in (MoveKind.WITHDRAW, MoveKind.BORROW) and health < WAD:
        message = f"{what} leaves health {wad_float(health):.4f}, the venue wants at least 1"
        found.append(Refusal("venue-health", message))
    if move.kind is MoveKind.BORROW and after.debt_scaled() * BPS > after.borrow_limit_scaled():
        found.append(
            Refusal("venue-ltv", f"{what} takes more than the venue lends on its collateral")
        )
    return found


def _price_free(index: int, move: Move, before: Ledger, market: MarketState) -> list[Refusal]:
    """Without a price the vault judges moves one by one, by what was owed at the start.

    Collateral is supplied only to secure a debt that needs it, and withdrawn only if nothing is owed.
    """
    readings = market.readings
    if readings.measure is not None and readings.measure.priced:
        return []
    owes = before.asset.debt > 0 or before.base.debt > 0
    most = TOP_UP_TIMES * readings.limits.min_health_wad
    toppable = owes and readings.account.health_wad <= most
    if move.kind is MoveKind.SUPPLY and not toppable:
        why = f"health is over {wad_float(most):.2f}" if owes else "nothing is owed"
        return [Refusal("price-free", f"move {index}: supply without a price, and {why}")]
    if move.kind is MoveKind.WITHDRAW and owes:
        return [
            Refusal("price-free", f"move {index}: withdrawal without a price, and debt is owed")
        ]
    return []
