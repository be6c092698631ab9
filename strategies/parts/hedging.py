"""The hedge of the whole book: where it is left alone, where it is brought, and by what."""

from dataclasses import dataclass, replace

from keeper.model.decision import PerpetualTarget, Target
from keeper.model.exposure import Kind
from keeper.model.ledger import Ledger
from keeper.model.market import MarketState
from keeper.model.outlook import Funding
from keeper.model.risk import RiskReport
from keeper.model.units import Raw, wad_float
from strategies.parts.gates import blocked, forecast
from strategies.parts.needs import NO_FORECAST, Need, lacks
from strategies.parts.positions import (
    OptionBook,
    delta_of,
    free_asset,
    free_base,
    nav_of,
    option_book,
    perpetuals_of,
    price_of,
    to_base_units,
    unit,
)
from strategies.parts.room import least_health, room_for
from strategies.parts.targets import hold

WEI = 10**18
MARGIN_STRESS = 0.30
"""Move of the price against a hedge that its margin bears, with all that is idle."""
AT_THE_BOUND = 0.10
"""Of the largest position: nearer to it than this, a hedge that would be larger is left."""
WHOLE = 1e-9
"""Of what is wanted: what is nearer to it is all of it."""


@dataclass(frozen=True, slots=True)
class Hedge:
    """How the book's delta is hedged."""

    target_delta: float
    """Whole base tokens."""
    aversion: float
    """Relative risk aversion."""
    cost_rate: float
    """Of a trade's value."""
    gas: float
    """Units of gas of one trade."""
    least_band: float
    """Of NAV, each side: what is accepted however dear risk is."""
    health_margin: float
    venue: str
    """A perpetual's; empty: the vault's own means."""


def hedge(market: MarketState, risk: RiskReport, terms: Hedge) -> Target:
    """The target that brings the whole book's delta to the edge of the optimal band, or why it is left."""
    reason = blocked(market, risk)
    if reason:
        return hold(reason)
    volatility, book = forecast(market), option_book(market)
    if volatility is None:
        return hold(NO_FORECAST)
    if book is None:
        return hold("an option's volatility is not known, so neither is its delta")
    trade, band = wanted_trade(market, risk, terms, book, volatility)
    now = f"delta of the whole book {delta_of(market, risk):.4f}"
    if trade == 0.0:
        thin = _thin_margin(market, risk, terms) if terms.venue else None
        return thin or hold(f"{now} is within {band[0]:.4f} to {band[1]:.4f}")
    reason = f"{now} is outside {band[0]:.4f} to {band[1]:.4f}: {trade:+.4f}"
    if terms.venue:
        return _by_perpetual(market, risk, terms, trade, reason)
    return _by_own_means(market, risk, terms, trade, reason)


def wanted_trade(
    market: MarketState, risk: RiskReport, terms: Hedge, book: OptionBook, volatility: float
) -> tuple[float, tuple[float, float]]:
    """(base tokens to buy, the whole book's delta that is left alone).

    With options the band is Hodges and Neuberger's with its fixed cost, and trades go to its inner edge; it is
    never narrower than `least_band`. Without options exposure drifts by interest and trades only: outside
    `least_band` it goes back to the target itself.
    """
    price, nav = price_of(market), nav_of(market, risk) or 0.0
    total, half = delta_of(market, risk), terms.least_band * nav / price
    linear, option_delta = total - book.delta, book.delta - terms.target_delta
    lower, upper = -option_delta - half, -option_delta + half
    to_lower = to_upper = -option_delta
    if book.gamma != 0.0:
        inner_lower, inner_upper, low, high = _optimal(
            market, terms, book, (price, nav, volatility)
        )
        lower, upper = min(lower, low), max(upper, high)
        to_lower, to_upper = max(lower, inner_lower), min(upper, inner_upper)
    trade = 0.0
    if linear < lower:
        trade = to_lower - linear
    elif linear > upper:
        trade = to_upper - linear
    return trade, (lower + book.delta, upper + book.delta)


def _optimal(
    market: MarketState, terms: Hedge, book: OptionBook, state: tuple[float, float, float]
) -> tuple[float, float, float, float]:
    """Inner and outer edges of the band, base tokens held against the options."""
    from keeper.quant.bands import Exposure, Terms, hodges_neuberger

    price, nav, volatility = state
    exposure = Exposure.of_book(
        price,
        book.delta - terms.target_delta,
        book.gamma,
        book.vega,
        book.vanna,
        volatility,
        book.years,
    )
    costs = Terms(terms.cost_rate, terms.aversion / nav, fixed_cost(market, terms.gas))
    band = hodges_neuberger(exposure, costs)
    return (
        float(band.lower_target),
        float(band.upper_target),
        float(band.lower),
        float(band.upper),
    )


def fixed_cost(market: MarketState, gas: float) -> float:
    """Assets that so much gas costs, base being the coin that pays for it."""
    fee = market.outlook.base_fee_wei
    fee = market.readings.block.base_fee_wei if fee is None else fee
    return max(0, fee) * gas / WEI * price_of(market)


def offer(market: MarketState, venue: str) -> Funding | None:
    """The venue's perpetual, if it is offered at a price that can be meant."""
    for found in market.outlook.funding:
        if found.venue == venue and found.mark > 0 and found.index > 0:
            return found
    return None


def most_perpetual(offered: Funding) -> float:
    """Largest position there, whole base tokens."""
    return max(0.0, offered.most_notional) / offered.mark


def bearable_perpetual(market: MarketState, offered: Funding, stress: float) -> float:
    """Largest position there, whole base tokens either way, that a move of the price by `stress` against it leaves
    above the venue's maintenance margin, with everything idle brought there:

        (equity there + idle assets) / (price x (stress + maintenance x (1 + stress)))
    """
    return margin_of(market, offered) / margin_needed(offered, stress)


def margin_needed(offered: Funding, stress: float) -> float:
    """Assets that one base token of the perpetual needs, to bear a move by `stress` with its maintenance margin."""
    return offered.mark * (stress + max(0.0, offered.maintenance) * (1 + stress))


def margin_of(market: MarketState, offered: Funding) -> float:
    """Assets that stand for a position there: cash and profit at the venue, and what is idle; never negative."""
    here = [h for h in market.holdings if h.venue == offered.venue]
    cash = sum(h.quantity for h in here if h.kind is Kind.CASH)
    profit = sum(h.quantity * (offered.mark - h.entry) for h in here if h.kind is Kind.PERPETUAL)
    return max(0.0, cash + profit + free_asset(market))


def funded_short(market: MarketState, offered: Funding, wanted: float) -> tuple[float, float]:
    """(base tokens of the perpetual, base tokens of spot to sell) that leave the book's delta where `wanted` of the
    perpetual alone would, with a short's margin bearing MARGIN_STRESS.

    A rise eats a short's margin, and the spot it hedges is what has gained: so each token sold pays for margin and
    needs no hedge any more. Of x sold, (|wanted| - x) x needed = margin + x x price. Where less can be sold than
    that, the short is as large as its margin bears and the rest of the book stays unhedged. A long is bounded only.
    """
    needed = margin_needed(offered, MARGIN_STRESS)
    margin, sold = margin_of(market, offered), 0.0
    price = price_of(market)
    if wanted < 0:
        missing = -wanted * needed - margin
        sold = min(sellable_base(market), max(0.0, missing) / (needed + price))
    most = min(most_perpetual(offered), (margin + sold * price) / needed)
    return min(max(wanted + sold, -most), most), sold


def sellable_base(market: MarketState) -> float:
    """Whole base tokens that can be sold for margin without touching a loan: what is idle, and what is supplied
    where nothing is owed."""
    ledger = Ledger.of(market.readings)
    supplied = 0 if ledger.asset.debt or ledger.base.debt else ledger.base.supplied
    return free_base(market) + supplied / unit(market.readings.base.decimals)


def _thin_margin(market: MarketState, risk: RiskReport, terms: Hedge) -> Target | None:
    """Less of both legs, where too little stands for the position by now: else its venue ends it."""
    offered, held = offer(market, terms.venue), perpetuals_of(market, terms.venue)
    if offered is None:
        return None
    most = min(most_perpetual(offered), bearable_perpetual(market, offered, MARGIN_STRESS))
    if abs(held) <= most * (1 + AT_THE_BOUND):
        return None
    wanted, sold = funded_short(market, offered, held)
    reason = f"margin at {terms.venue} bears {most:.4f} of {held:.4f}"
    return _both_legs(market, risk, terms.venue, (wanted, sold), reason)


def _by_perpetual(
    market: MarketState, risk: RiskReport, terms: Hedge, trade: float, reason: str
) -> Target:
    offered = offer(market, terms.venue)
    if offered is None:
        return hold(f"{reason}; {lacks(f'{terms.venue} offers no perpetual now', Need.FUNDING)}")
    held = perpetuals_of(market, terms.venue)
    wanted, sold = funded_short(market, offered, held + trade)
    short_of = abs(wanted - sold - held - trade)
    small = AT_THE_BOUND * abs(wanted)
    if short_of > WHOLE * abs(held + trade) and abs(wanted - held) <= small and sold <= small:
        # the bound moves with every price: it is not followed step by step
        bears = f"margin and {terms.venue} bear {abs(wanted):.4f}, and {held:.4f} is held"
        return hold(f"{reason}; {bears}")
    if sold == 0.0 and to_base_units(market, wanted) == to_base_units(market, held):
        return hold(f"{reason}; {terms.venue} takes no more")
    return _both_legs(market, risk, terms.venue, (wanted, sold), reason)


def _both_legs(
    market: MarketState, risk: RiskReport, venue: str, sizes: tuple[float, float], reason: str
) -> Target:
    """Sizes: so much of the perpetual, and so much less of spot."""
    wanted, sold = sizes
    perpetuals = (PerpetualTarget(venue, to_base_units(market, wanted)),)
    units = to_base_units(market, sold)
    if units == 0:
        return replace(hold(reason), perpetuals=perpetuals)
    reason = f"{reason}; sell {sold:.4f} base for its margin"
    return replace(hold(reason), net_delta=Raw(risk.net_delta - units), perpetuals=perpetuals)


def _by_own_means(
    market: MarketState, risk: RiskReport, terms: Hedge, trade: float, reason: str
) -> Target:
    gap = to_base_units(market, trade)
    step = min(abs(gap), room_for(market, risk, gap, terms.health_margin))
    if step <= 0:
        least = wad_float(least_health(market, terms.health_margin))
        return hold(
            f"{reason}; health {wad_float(risk.health_wad):.4f} leaves no room over {least:.4f}"
        )
    part = "" if step == abs(gap) else ", as far as health allows"
    reached = Raw(risk.net_delta + (step if gap > 0 else -step))
    return replace(hold(reason + part), net_delta=reached)
