"""The mandate's judgement mirrored: `Mandate.close` on the rehearsed state before and after a plan.

What reduces every measured risk passes at any time and is charged to the protective bucket; everything else
waits for the mandate's cooldown, is held to its caps, and is charged to the routine bucket (V-08).
"""

from keeper.guard.rehearsal import Rehearsal
from keeper.model.decision import Plan, Refusal
from keeper.model.ledger import Ledger
from keeper.model.mandate import Caps
from keeper.model.market import MarketState, Readings
from keeper.model.units import BPS, WAD, wad_float

REDUCING_SWAP_BPS = 10_100
"""Swaps may buy this much of the debt they repay and still count as reducing, in bps."""


def judge(plan: Plan, market: MarketState, rehearsal: Rehearsal) -> list[Refusal]:
    """Every reason for which the mandate would refuse what the plan comes to."""
    readings = market.readings
    if readings.measure is None or not readings.measure.priced:
        return _loss(plan, readings, rehearsal, ())  # the vault then checks each move by itself
    grown = grown_risks(rehearsal)
    return [
        *_health(readings, rehearsal),
        *_debt(readings, rehearsal),
        *_delta(readings, rehearsal, reduces=not grown),
        *_routine(market, rehearsal, grown),
        *_loss(plan, readings, rehearsal, grown),
    ]


def grown_risks(rehearsal: Rehearsal) -> tuple[str, ...]:
    """The measured risks that the plan makes larger; none for one that only reduces."""
    before, after = rehearsal.before, rehearsal.after
    lent_more = _lent_down(after) > _lent_down(before)
    cases = (
        ("health falls", after.health_wad() < before.health_wad()),
        ("debt of the asset rises", after.asset.debt > before.asset.debt),
        ("debt of the base rises", after.base.debt > before.base.debt),
        ("net exposure rises", abs(after.net_delta()) > abs(before.net_delta())),
        (
            "more is at the venue and nothing safer",
            lent_more and after.health_wad() <= before.health_wad(),
        ),
        (
            "swaps buy more than is repaid",
            rehearsal.bought_scaled * BPS > _repaid_scaled(rehearsal) * REDUCING_SWAP_BPS,
        ),
    )
    return tuple(name for name, grew in cases if grew)


def _repaid_scaled(rehearsal: Rehearsal) -> int:
    """Debt repaid, where swaps may be for repaying it: without base owed none needs to buy."""
    before, after = rehearsal.before, rehearsal.after
    return max(0, before.owed_scaled() - after.owed_scaled()) if before.base.debt else 0


def _lent_down(ledger: Ledger) -> int:
    return ledger.asset.supplied + ledger.value_down(ledger.base, ledger.base.supplied)


def _health(readings: Readings, rehearsal: Rehearsal) -> list[Refusal]:
    """V-05: health ends at the minimum or higher than before."""
    least = readings.limits.min_health_wad
    before, after = rehearsal.before.health_wad(), rehearsal.after.health_wad()
    if after >= least or after > max(before, readings.account.health_wad):
        return []
    message = (
        f"health would end at {wad_float(after):.4f} from {wad_float(before):.4f}, "
        f"the mandate wants {wad_float(least):.4f} or more than before"
    )
    return [Refusal("min-health", message)]


def _debt(readings: Readings, rehearsal: Rehearsal) -> list[Refusal]:
    """Each token for itself: dollars repaid do not pay for base borrowed."""
    before, after = rehearsal.before, rehearsal.after
    if after.asset.debt <= before.asset.debt and after.base.debt <= before.base.debt:
        return []
    most = readings.limits.max_borrow_bps
    owed, gross = after.owed_scaled(), after.gross_scaled()
    if owed * BPS <= most * gross:
        return []
    ratio = f"{-(-owed * BPS // gross)} bps of gross assets" if gross else "owed against nothing"
    return [Refusal("borrow-ratio", f"debt would be {ratio}, the mandate allows {most} bps")]


def _delta(readings: Readings, rehearsal: Rehearsal, *, reduces: bool) -> list[Refusal]:
    """V-06: the net delta ends inside its band, or nearer to the target than before."""
    before, after, caps = rehearsal.before, rehearsal.after, readings.mandate.terms.caps
    band = max(0, after.nav_down()) * caps.delta_band_bps // BPS
    gap, gap_before = delta_gap_up(after, caps), delta_gap_up(before, caps)
    still = after.net_delta() == before.net_delta()
    if gap <= band or gap < gap_before or (still and reduces):
        return []
    message = (
        f"net delta would end {gap} asset units from the mandate's target, from {gap_before}; "
        f"its band is {band}"
    )
    return [Refusal("delta-band", message)]


def delta_gap_up(ledger: Ledger, caps: Caps) -> int:
    """Value of |net delta - target|, asset units, the delta's value rounded away from zero."""
    delta = ledger.net_delta()
    value = ledger.value_up(ledger.base, abs(delta))
    aim = max(0, ledger.nav_down()) * abs(caps.delta_target_bps) // BPS
    return abs((value if delta >= 0 else -value) - (aim if caps.delta_target_bps >= 0 else -aim))


def _routine(market: MarketState, rehearsal: Rehearsal, grown: tuple[str, ...]) -> list[Refusal]:
    """What binds a plan that makes any measured risk larger."""
    if not grown:
        return []
    readings, caps = market.readings, market.readings.mandate.terms.caps
    found, now = [], readings.block.timestamp
    if readings.paused:
        state = "paused" if readings.mandate.paused else "winding down"
        found.append(Refusal("paused", f"the vault is {state}: {', '.join(grown)}"))
    if readings.unhedged:
        message = "a venue holds less than the vault opened there; until that is resolved only "
        found.append(Refusal("unhedged", message + f"what reduces is sent: {', '.join(grown)}"))
    if not readings.options.volatility_known:
        message = "volatility is unusable and options count at intrinsic value; until it is back "
        found.append(
            Refusal("volatility", message + f"only what reduces is sent: {', '.join(grown)}")
        )
    until = readings.mandate.last_routine_at + caps.cooldown_s
    if now < until:
        found.append(Refusal("cooldown", f"the mandate's cooldown lasts {until - now} s more"))
    age = now - readings.measure.price_at if readings.measure else 0
    if age > caps.max_oracle_age_s:
        message = f"the price is {age} s old, the mandate allows {caps.max_oracle_age_s} s"
        found.append(Refusal("oracle-age", message))
    return [*found, *_venue_share(caps, rehearsal), *_turnover(readings, rehearsal)]


def _venue_share(caps: Caps, rehearsal: Rehearsal) -> list[Refusal]:
    lent, gross = _lent_down(rehearsal.after), rehearsal.after.gross_scaled()
    grew = lent > _lent_down(rehearsal.before)
    if not grew or lent * rehearsal.after.asset_scale * BPS <= caps.max_venue_bps * gross:
        return []
    share = -(-lent * rehearsal.after.asset_scale * BPS // gross) if gross else BPS
    message = f"{share} bps of gross assets would be at the venue, at most {caps.max_venue_bps} may"
    return [Refusal("venue-share", message)]


def _turnover(readings: Readings, rehearsal: Rehearsal) -> list[Refusal]:
    sold = -(-rehearsal.sold_scaled // rehearsal.before.asset_scale)
    nav = max(0, rehearsal.before.nav_down())
    left = readings.mandate.turnover.left_wad
    if sold == 0 or nav == 0 or -(-sold * WAD // nav) <= left:
        return []
    message = f"sells {sold} asset units, the day's turnover has {nav * left // WAD} left"
    return [Refusal("turnover", message)]


def _loss(
    plan: Plan, readings: Readings, rehearsal: Rehearsal, grown: tuple[str, ...]
) -> list[Refusal]:
    """V-04: the accepted loss fits the mandate and the bucket it would be charged to."""
    if not rehearsal.trades_price and plan.max_loss == 0:
        return []
    nav = max(0, rehearsal.before.nav_down())
    bucket, name = (
        (readings.mandate.routine, "routine")
        if grown
        else (readings.mandate.protective, "protective")
    )
    bounds = (
        ("max-loss", nav * readings.limits.max_loss_bps // BPS, "the mandate allows a rebalance"),
        ("loss-budget", bucket.left_down(nav), f"the {name} loss budget has left"),
    )
    return [
        Refusal(rule, f"accepts a loss of {plan.max_loss} asset units, {whose} {bound}")
        for rule, bound, whose in bounds
        if plan.max_loss > bound
    ]
