"""The mandate's judgement mirrored: `Mandate.close` on the rehearsed state before and after a plan.

What reduces every measured risk passes at any time and is charged to the protective bucket; everything else
waits for the mandate's cooldown, is held to its caps, and is charged to the routine bucket (V-08).
"""

from keeper.guard.option_shares import collateral_scaled, option_shares
from keeper.guard.rehearsal import Rehearsal
from keeper.model.decision import Plan, Refusal
from keeper.model.ledger import Ledger
from keeper.model.mandate import TOP_UP_TIMES, Caps
from keeper.model.market import MarketState, Readings
from keeper.model.units import BPS, WAD, wad_float

REDUCING_SWAP_BPS = 10_100
"""Swaps may buy this much of the debt they repay and still count as reducing, in bps: room for their own loss."""


def judge(plan: Plan, market: MarketState, rehearsal: Rehearsal) -> list[Refusal]:
    """Every reason for which the mandate would refuse what the plan comes to."""
    readings = market.readings
    if readings.measure is None or not readings.measure.priced:
        return _loss(plan, readings, rehearsal, ())  # the vault then checks each move by itself
    grown = grown_risks(rehearsal, readings.limits.min_health_wad)
    return [
        *_health(readings, rehearsal),
        *_debt(readings, rehearsal),
        *_delta(readings, rehearsal, reduces=not grown),
        *_routine(market, rehearsal, grown),
        *_loss(plan, readings, rehearsal, grown),
    ]


def grown_risks(rehearsal: Rehearsal, min_health_wad: int) -> tuple[str, ...]:
    """The measured risks that the plan makes larger; none for one that only reduces."""
    before, after = rehearsal.before, rehearsal.after
    lent_more = _lent_down(after) > _lent_down(before)
    rose = after.health_wad() > before.health_wad()
    safer = rose and after.health_wad() // TOP_UP_TIMES <= min_health_wad
    cases = (
        ("health falls", after.health_wad() < before.health_wad()),
        ("debt of the asset rises", after.asset.debt > before.asset.debt),
        ("debt of the base rises", after.base.debt > before.base.debt),
        (
            "net exposure rises",
            abs(after.net_delta()) > abs(before.net_delta()) + rehearsal.dust,
        ),
        ("more is at the venue and nothing safer", lent_more and not safer),
        (
            "swaps go both ways",
            rehearsal.bought_asset_scaled > 0 and rehearsal.bought_base_scaled > 0,
        ),
        ("swaps buy more than is repaid", _buys_too_much(rehearsal)),
        ("options are written", rehearsal.notional > 0 or rehearsal.vega > 0),
        ("more backs options", collateral_scaled(after) > collateral_scaled(before)),
    )
    return tuple(name for name, grew in cases if grew)


def _buys_too_much(rehearsal: Rehearsal) -> bool:
    """Of a token, more than is repaid of it; but base is sold freely, towards cash, while none is owed."""
    before, after = rehearsal.before, rehearsal.after
    repaid_asset = max(0, before.asset.debt - after.asset.debt) * before.asset_scale
    repaid_base = max(0, before.base.debt - after.base.debt) * before.base_scale
    too_much_base = rehearsal.bought_base_scaled * BPS > repaid_base * REDUCING_SWAP_BPS
    too_much_asset = rehearsal.bought_asset_scaled * BPS > repaid_asset * REDUCING_SWAP_BPS
    return too_much_base or (before.base.debt > 0 and too_much_asset)


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
    """V-06: the net delta ends inside its band, or nearer to the target than before.

    What reduces every risk leaves the band on the way out: while winding down, or from under the minimum health.
    """
    if reduces and leaves_band(readings, rehearsal.before):
        return []
    before, after, caps = rehearsal.before, rehearsal.after, readings.mandate.terms.caps
    band = max(0, after.nav_down()) * caps.delta_band_bps // BPS
    gap, gap_before = delta_gap_up(after, caps), delta_gap_up(before, caps)
    still = abs(after.net_delta() - before.net_delta()) <= rehearsal.dust
    if gap <= band or gap < gap_before or (still and reduces):
        return []
    message = (
        f"net delta would end {gap} asset units from the mandate's target, from {gap_before}; "
        f"its band is {band}"
    )
    return [Refusal("delta-band", message)]


def leaves_band(readings: Readings, before: Ledger) -> bool:
    """Whether what only reduces may end outside the delta band."""
    began = max(before.health_wad(), readings.account.health_wad)
    return readings.mandate.winding_down or began < readings.limits.min_health_wad


def delta_gap_up(ledger: Ledger, caps: Caps) -> int:
    """Value of |net delta - target|, asset units, the delta's value rounded away from zero."""
    delta = ledger.net_delta()
    value = ledger.value_up(ledger.base, abs(delta))
    aim = max(0, ledger.nav_down()) * abs(caps.delta_target_bps) // BPS
    return abs((value if delta >= 0 else -value) - (aim if caps.delta_target_bps >= 0 else -aim))


def _routine(market: MarketState, rehearsal: Rehearsal, grown: tuple[str, ...]) -> list[Refusal]:
    """What binds a plan that makes any measured risk larger.

    The day without new risk that follows a rescue is not among it: nothing tells when the last rescue was, so the
    simulation finds it, and the loop then waits for its end.
    """
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
    return [
        *found,
        *_venue_share(caps, rehearsal),
        *option_shares(readings, rehearsal),
        *_turnover(readings, rehearsal),
    ]


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
    ledger = rehearsal.before
    forgiven = rehearsal.dust + ledger.value_up(ledger.base, rehearsal.dust)
    if plan.max_loss <= forgiven:  # rounding and no loss: it waits for no bucket
        return []
    nav = max(0, ledger.nav_down())
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
