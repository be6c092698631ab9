"""Everything about a parameters file that the contracts would refuse, or could not know to be a mistake."""

from collections.abc import Iterator
from decimal import Decimal
from operator import attrgetter

from keeper.deployment.bounds import (
    BOUNDS,
    CONSTANTS,
    DESK_BOUNDS,
    DESK_CONSTANTS,
    EMERGENCY_MARGIN_WAD,
    MARK_BOUNDS,
    MARKS,
    MAX_ANSWER_RATIO,
    MAX_SLACK_PART,
    MIN_TENOR_S,
    SEQUENCER_BOUNDS,
    Bound,
)
from keeper.deployment.parameters import (
    FeedParameters,
    Parameters,
    VolatilityParameters,
    scaled,
)
from keeper.model.units import WAD


def violations(p: Parameters) -> tuple[str, ...]:
    """A line for each fault; none if the file can be deployed."""
    bounds: tuple[Bound, ...] = BOUNDS + CONSTANTS
    if p.volatility and p.settlement:
        bounds += DESK_BOUNDS + DESK_CONSTANTS
    if p.oracle.sequencer:
        bounds += SEQUENCER_BOUNDS
    single = (bound.problem(attrgetter(bound.field)(p)) for bound in bounds)
    found = [problem for problem in single if problem is not None]
    found += _exact(p)
    found += [problem for holds, problem in _relations(p) if not holds]
    found += _same_accounts(p)
    found += _answers("oracle.base", p.oracle.base)
    found += _answers("oracle.quote", p.oracle.quote)
    if p.volatility is not None:
        found += _volatility(p.volatility)
    return tuple(found)


def _exact(p: Parameters) -> Iterator[str]:
    """Ratios with more digits than the contracts keep."""
    ratios = ("limits.min_health", "emergency.emergency_health", "emergency.critical_health")
    for field in ratios:
        if scaled(attrgetter(field)(p), WAD).denominator != 1:
            yield f"{field}: has more than 18 decimals"


def _relations(p: Parameters) -> Iterator[tuple[bool, str]]:
    """What must hold between parameters: (holds, what is wrong if not)."""
    roles, e, o = p.roles, p.emergency, p.options
    yield (
        roles.owner_delay_s >= roles.curator_delay_s,
        f"roles.owner_delay_s: {roles.owner_delay_s} is below curator_delay_s, {roles.curator_delay_s}",
    )
    yield (
        scaled(e.emergency_health, WAD) <= scaled(p.limits.min_health, WAD) - EMERGENCY_MARGIN_WAD,
        f"emergency.emergency_health: {e.emergency_health} is not {Decimal(EMERGENCY_MARGIN_WAD) / WAD:f} under "
        f"limits.min_health, {p.limits.min_health}: anybody could soon sell what a keeper may hold",
    )
    yield (
        e.critical_health <= e.emergency_health,
        f"emergency.critical_health: {e.critical_health} is above emergency_health, {e.emergency_health}",
    )
    for least, most in (
        ("min_tenor_s", "max_tenor_s"),
        ("min_delta_bps", "max_delta_bps"),
        ("min_bid_bps", "max_bid_bps"),
    ):
        low, high = getattr(o, least), getattr(o, most)
        yield low <= high, f"options.{least}: {low} is above {most}, {high}"
    yield (
        (p.volatility is None) == (p.settlement is None),
        "volatility, settlement: an option desk needs both tables, a vault without options neither",
    )
    yield (
        p.with_options or o.max_series == 0,
        f"options.max_series: is {o.max_series} without the tables volatility and settlement; 0 writes none",
    )
    yield p.vault.asset != p.vault.base, "vault.base: is the asset"
    yield (
        p.deposits.minimum <= p.deposits.cap,
        f"deposits.minimum: {p.deposits.minimum} is above cap, {p.deposits.cap}",
    )
    fees = p.fees.management_bps + p.fees.performance_bps
    yield (
        p.fees.recipient is not None or fees == 0,
        "fees.recipient: is missing, and fees are not 0",
    )


def _same_accounts(p: Parameters) -> Iterator[str]:
    """Roles that would be stolen together."""
    roles = p.roles
    cold = {"owner": roles.owner, "curator": roles.curator, "guardian": roles.guardian}
    for name in ("owner", "curator"):
        if roles.guardian == cold[name]:
            yield f"roles.guardian: is the {name}, whom it is to watch"
    hot = [(f"roles.keepers.{i}", account) for i, account in enumerate(roles.keepers)]
    if p.volatility is not None:
        hot.append(("volatility.poster", p.volatility.poster))
    for field, account in hot:
        for name, other in cold.items():
            if account == other:
                yield f"{field}: is the {name}; a key that is online holds nothing else"
    for i, keeper in enumerate(roles.keepers):
        if keeper in roles.keepers[:i]:
            yield f"roles.keepers.{i}: is there twice"


def _answers(field: str, feed: FeedParameters) -> Iterator[str]:
    """Bounds of an answer must be bounds, and must not shut a sound feed out."""
    least, most = scaled(feed.min_answer, 6) / 5, scaled(feed.min_answer, MAX_ANSWER_RATIO)
    if feed.min_answer == 0:
        yield f"{field}.min_answer: is 0"
    elif not least <= scaled(feed.max_answer, 1) <= most:
        yield (
            f"{field}.max_answer: {feed.max_answer} is not in 1.2 to {MAX_ANSWER_RATIO} times "
            f"min_answer, {feed.min_answer}"
        )


def _volatility(v: VolatilityParameters) -> Iterator[str]:
    """Bounds of the volatility oracle that depend on one another."""
    ends: tuple[tuple[str, int, int | None], ...] = (
        ("slack_s", 0, v.interval_s // MAX_SLACK_PART),
        ("min_returns", v.window_slots // 4, v.window_slots),
        ("max_observation_age_s", v.interval_s + v.slack_s, None),
        ("expire_age_s", v.max_age_s + 1, None),
        ("stale_half_spread_bps", v.half_spread_bps, None),
    )
    for name, least, most in ends:
        problem = Bound("VolatilityOracle", name, f"volatility.{name}", least, most).problem(
            getattr(v, name)
        )
        if problem is not None:
            yield problem
    count = MARKS.problem(len(v.marks))
    if count is not None:
        yield f"volatility.{count}"
    least_tenor = MIN_TENOR_S
    for i, mark in enumerate(v.marks):
        if mark.tenor_s < least_tenor:
            yield f"volatility.marks.{i}.tenor_s: {mark.tenor_s} is below {least_tenor}: tenors rise from an hour"
        least_tenor = max(least_tenor, mark.tenor_s + 1)
        for bound in MARK_BOUNDS:
            value = getattr(mark, bound.field)
            problem = bound.problem(abs(value) if bound.field == "skew_bps" else value)
            if problem is not None:
                yield f"volatility.marks.{i}.{problem}"
