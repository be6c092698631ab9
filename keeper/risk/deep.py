"""The full report: every measure of every part, for people and for the slower decisions.

`assess` is what a tick needs and stays fast; this is what it rests on. Nothing here guesses: what cannot be known
is None, and `problems` says why. With an unusable price or an unreadable venue only what needs neither is reported.
"""

from dataclasses import replace

import numpy as np

from keeper.model.exposure import ASSET, Exposure, Kind, RiskInputs
from keeper.model.market import MarketState, PriceFault, Readings
from keeper.model.risk_report import (
    SCHEMA,
    FullReport,
    GreekSet,
    ModuleResult,
    PositionRisk,
    Profile,
    Standing,
)
from keeper.model.units import WAD
from keeper.risk.book import GREEKS, Book, Floats, Moves, greek_set
from keeper.risk.checks import check_inputs
from keeper.risk.concentration import concentrations
from keeper.risk.contagion import contagion_of, liquidation_penalty
from keeper.risk.distribution import tail_risk
from keeper.risk.exposures import IDLE, waiting_deposits, waiting_redemptions
from keeper.risk.limits import exposure_limits, mandate_limits, policy_limits, worst
from keeper.risk.liquidity import liquidity_of
from keeper.risk.marks import with_volatilities
from keeper.risk.scan import (
    contingencies_of,
    heat_map,
    margin_of,
    scan,
    scenario_risks,
    thresholds_of,
)
from keeper.risk.scenarios import DAY, standard_scenarios
from keeper.risk.tempo import collateral_target, wait_of
from keeper.risk.venues import lending_risk, margin_risk, outlook_of

NAV_TOLERANCE = 1e-3
"""Part of the gross value by which model values may differ from the vault's own NAV before the report says so."""
PROFILE = np.linspace(0.4, 1.6, 61)


def assess_deep(market: MarketState, inputs: RiskInputs) -> FullReport:
    """Everything; QuantityError for inputs that cannot be meant (a price of nan, an unknown underlying).

    What the market state holds beyond its readings counts beside the inputs' exposures; of one id the inputs' stands.
    """
    named = {e.id for e in inputs.exposures}
    beyond = tuple(h for h in market.holdings if h.id not in named)
    if beyond:
        inputs = replace(inputs, exposures=(*inputs.exposures, *beyond))
    check_inputs(inputs)
    readings = market.readings
    price = readings.price.price_wad / WAD
    usable = readings.price.fault is PriceFault.NONE and price > 0.0
    report = _blank(market, inputs, price if usable else None)
    if not usable or not readings.venue_readable:
        return _judged(_blind(report, readings, usable), market, inputs)
    exposures, problems = with_volatilities(readings, price, inputs)
    book = Book(exposures, price, inputs.volatility, inputs.underlyings)
    columns = book.greeks()
    greeks = greek_set(columns.sum(axis=1))
    problems += _problems(market, exposures, greeks, float(np.abs(columns[0]).sum()), inputs)
    report = replace(
        report,
        problems=(*report.problems, *problems),
        nav=greeks.value,
        greeks=greeks,
        positions=_positions(exposures, columns),
        concentration=concentrations(exposures, tuple(float(x) for x in columns[0])),
        profile=_profile(book, inputs.policy.horizon_days),
    )
    report = _with_venues(report, readings, exposures, inputs)
    report = _with_requests(report, readings)
    return _judged(_priced(report, readings, book, inputs), market, inputs)


def _blank(market: MarketState, inputs: RiskInputs, price: float | None) -> FullReport:
    """Everything that needs neither price nor venue; the market's faults are the first problems."""
    readings = market.readings
    block = readings.block
    return FullReport(
        schema=SCHEMA,
        vault=readings.vault,
        chain_id=readings.chain_id,
        block_number=block.number,
        block_hash=block.hash,
        timestamp=block.timestamp,
        standing=Standing.UNKNOWN,
        problems=market.faults,
        price=price,
        volatility=inputs.volatility,
        jumps=inputs.jumps,
        nav=None,
        greeks=None,
        greeks_after_requests=None,
        positions=(),
        wait=wait_of(readings, inputs.tempo),
        venues=(),
        collateral=collateral_target(readings, inputs),
        scenarios=(),
        heat_map=None,
        margin=None,
        tail=None,
        liquidity=None,
        contagion=(),
        concentration=(),
        limits=(),
        modules=(),
        profile=None,
    )


def _blind(report: FullReport, readings: Readings, usable: bool) -> FullReport:
    """Without price or venue: the venue's own health, and the reason for everything that is missing."""
    why = []
    if not usable:
        fault = readings.price.fault.name.lower().replace("_", " ")
        why.append(f"the price cannot be used ({fault}): nothing is valued")
    if not readings.venue_readable:
        why.append("the lending venue cannot be read: NAV and health are not known")
    return replace(
        report, problems=(*report.problems, *why), venues=(lending_risk(readings, None),)
    )


def _with_venues(
    report: FullReport, readings: Readings, exposures: tuple[Exposure, ...], inputs: RiskInputs
) -> FullReport:
    outlook = outlook_of(readings, inputs, report.wait)
    others = tuple(margin_risk(v, exposures, outlook) for v in inputs.margin_venues)
    return replace(report, venues=(lending_risk(readings, outlook), *others))


def _problems(
    market: MarketState,
    exposures: tuple[Exposure, ...],
    greeks: GreekSet,
    gross: float,
    inputs: RiskInputs,
) -> list[str]:
    """Why some figures are worth less than they look."""
    readings = market.readings
    found = [f"{e.id}: {e.problem}" for e in exposures if e.problem]
    if readings.options.value is None:
        found.append("the options could not be valued: they are in no figure here")
    if inputs.volatility is None:
        found.append("no forecast of volatility: no probabilities, value at risk or health target")
    if greeks.value <= 0.0:
        found.append(f"NAV is {greeks.value:,.2f}: shares of it are not known")
    own = readings.nav / 10**readings.asset.decimals
    beyond = sum(e.quantity != 0.0 for e in inputs.exposures)
    if readings.nav_valid and not beyond and abs(own - greeks.value) > NAV_TOLERANCE * gross + 0.01:
        found.append(f"the positions are worth {greeks.value:,.2f}, the vault says {own:,.2f}")
    return found


def _positions(exposures: tuple[Exposure, ...], columns: Floats) -> tuple[PositionRisk, ...]:
    return tuple(
        PositionRisk(
            e.id,
            e.kind.value,
            e.venue,
            e.underlying,
            e.quantity,
            True,
            greek_set(columns[:, i]),
            e.volatility,
            e.problem,
        )
        for i, e in enumerate(exposures)
    )


def _with_requests(report: FullReport, readings: Readings) -> FullReport:
    """Waiting requests as positions outside of NAV: deposits are cash, redemptions a share of everything."""
    rows = []
    deposits, part = waiting_deposits(readings), waiting_redemptions(readings)
    if deposits is not None:
        amount = deposits.quantity
        cash = GreekSet(amount, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        rows.append((deposits.id, amount, cash))
    if part > 0.0 and report.greeks is not None:
        claim = -part * np.array([getattr(report.greeks, name) for name in GREEKS])
        rows.append(("redemptions-waiting", -part, greek_set(claim)))
    requests = tuple(
        PositionRisk(name, Kind.REQUEST, IDLE, ASSET, quantity, False, greeks, None, "")
        for name, quantity, greeks in rows
    )
    positions = (*report.positions, *requests)
    after = np.sum([[getattr(p.greeks, n) for n in GREEKS] for p in positions], axis=0)
    settled = greek_set(after) if positions else report.greeks
    return replace(report, positions=positions, greeks_after_requests=settled)


def _priced(report: FullReport, readings: Readings, book: Book, inputs: RiskInputs) -> FullReport:
    """Scenarios, margin, tail, exit and contagion."""
    policy, greeks = inputs.policy, report.greeks
    if greeks is None or report.nav is None:
        return report
    found = scan(book, standard_scenarios(policy), thresholds_of(readings))
    values = tuple(p.greeks.value for p in report.positions if p.in_nav)
    exit_risk, why = liquidity_of(readings, greeks.delta, book.price, report.nav, policy)
    penalty = liquidation_penalty(readings, book.exposures, values)
    extra = contingencies_of(
        book,
        found,
        delta=greeks.delta,
        exit_cost=exit_risk.exit_cost if exit_risk else 0.0,
        price_age_s=report.wait.price_age_s,
        penalty=penalty,
        policy=policy,
    )
    depeg = next(i for i, s in enumerate(found.scenarios) if s.name == "depeg")
    return replace(
        report,
        problems=(*report.problems, *((why,) if why else ())),
        scenarios=scenario_risks(found),
        heat_map=heat_map(book, policy.horizon_days),
        margin=margin_of(book, found, report.nav, extra, policy),
        tail=tail_risk(book, inputs),
        liquidity=exit_risk,
        contagion=contagion_of(
            readings,
            book.exposures,
            values,
            inputs,
            nav=report.nav,
            depeg_loss=-float(found.totals[depeg]),
        ),
    )


def _profile(book: Book, days: float) -> Profile:
    """Value and Greeks over 40 % to 160 % of the price."""
    count = PROFILE.size
    spot = PROFILE - 1.0
    later = book.totals(Moves.of(count, spot=spot, years=days * DAY))
    expired = book.totals(Moves.of(count, spot=spot, volatility=-1.0))
    columns = np.array([book.greeks(book.price * float(part)).sum(axis=1) for part in PROFILE])

    def row(values: Floats) -> tuple[float, ...]:
        return tuple(float(x) for x in values)

    return Profile(
        spots=row(PROFILE * book.price),
        value_now=row(book.totals(Moves.of(count, spot=spot))),
        value_horizon=row(later),
        value_expiry=row(expired),
        delta=row(columns[:, 1]),
        gamma=row(columns[:, 2]),
        vega=row(columns[:, 3]),
    )


def _judged(report: FullReport, market: MarketState, inputs: RiskInputs) -> FullReport:
    """Every limit; the report stands as its worst, and is no better than unknown with a fault in the market."""
    policy, readings = inputs.policy, market.readings
    limits = [*mandate_limits(readings, report.venues[0], report.collateral, policy)]
    if report.greeks is None or report.price is None:
        return replace(report, limits=tuple(limits), standing=Standing.UNKNOWN)
    limits += exposure_limits(readings, report.greeks, report.price, report.venues[0], policy)
    limits += policy_limits(
        report.greeks.value,
        venues=report.venues,
        tail=report.tail,
        margin=report.margin,
        liquidity=report.liquidity,
        contagion=report.contagion,
        wait=report.wait,
        policy=policy,
    )
    faulty = (Standing.UNKNOWN,) if market.faults else ()
    standing = worst((*faulty, *(v.standing for v in limits)))
    return replace(report, limits=tuple(limits), standing=standing)


def with_modules(report: FullReport, modules: tuple[ModuleResult, ...]) -> FullReport:
    """The report with what third-party modules said of it; a veto makes it stand as breached."""
    standing = worst((report.standing, *(m.standing for m in modules)))
    if any(m.veto for m in modules):
        standing = Standing.BREACH
    return replace(report, modules=modules, standing=standing)
