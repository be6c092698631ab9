"""Loss of the whole vault over the horizon, every position revalued.

With at least 250 residuals (past returns over the volatility forecast for them) the shape is theirs: filtered
historical simulation. A long record is summed up by the means of 4,096 equally likely parts of it, so that the
oldest crash still counts. Without, a Student t with 4 degrees of freedom stands in, scaled to the forecast. Volatility
moves as well, lognormally, with the policy's volatility and correlation; its part that price does not explain
follows a van der Corput sequence, so that the same input gives the same figure.
"""

import math

import numpy as np
from scipy.special import ndtri, stdtrit  # type: ignore[import-untyped]

from keeper.model.exposure import RiskInputs
from keeper.model.risk_report import TailRisk
from keeper.quant import tails
from keeper.quant.tails.estimate import order_interval
from keeper.risk.book import Book, Floats, Moves
from keeper.risk.scenarios import DAY

LEAST_RESIDUALS = 250
MOST_RESIDUALS = 4_096
POINTS = 1_024
DEGREES = 4.0


def tail_risk(book: Book, inputs: RiskInputs) -> TailRisk | None:
    """None without a forecast of volatility."""
    if inputs.volatility is None:
        return None
    policy = inputs.policy
    losses, method = losses_of(book, inputs.volatility, inputs)
    tail = tails.historical(losses, policy.confidence)
    sampled = method == "filtered history"
    observed = len(inputs.residuals) // max(1, inputs.overlap)
    grid = np.quantile(losses, np.arange(1, 200) / 200.0)
    return TailRisk(
        policy.confidence,
        policy.horizon_days,
        method,
        tail.value_at_risk,
        tail.expected_shortfall,
        _interval(losses, policy.confidence, observed) if sampled else None,
        tuple(float(x) for x in grid),
    )


def losses_of(book: Book, volatility: float, inputs: RiskInputs) -> tuple[Floats, str]:
    """Equally likely losses of the whole book over the horizon, in no order, and where their shape comes from."""
    z, method = _shape(inputs.residuals)
    return -(book.totals(_moves(z, volatility, inputs)) - book.totals(Moves.of(1))), method


def _interval(losses: Floats, confidence: float, observed: int) -> tuple[float, float] | None:
    """Of 95 % for the quantile, as `observed` independent losses of this distribution give it; None without an end."""
    if observed < 1:
        return None
    drawn = np.quantile(losses, (np.arange(observed) + 0.5) / observed)
    low, high = order_interval(drawn, confidence, 0.95)
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None


def _shape(residuals: tuple[float, ...]) -> tuple[Floats, str]:
    """Standard returns of the horizon, and where they come from."""
    if len(residuals) >= LEAST_RESIDUALS:
        ordered = np.sort(np.array(residuals, dtype=np.float64))
        parts = min(ordered.size, MOST_RESIDUALS)
        sizes = np.full(parts, ordered.size // parts)
        sizes[: ordered.size % parts] += 1
        starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
        return np.asarray(np.add.reduceat(ordered, starts) / sizes), "filtered history"
    levels = (np.arange(POINTS) + 0.5) / POINTS
    scale = math.sqrt((DEGREES - 2.0) / DEGREES)
    return scale * stdtrit(DEGREES, levels), f"Student t({DEGREES:g})"


def _moves(z: Floats, volatility: float, inputs: RiskInputs) -> Moves:
    policy = inputs.policy
    root = math.sqrt(policy.horizon_days * DAY)
    own = ndtri(_van_der_corput(z.size))
    rho = policy.spot_volatility_correlation
    shock = policy.volatility_of_volatility * root * (rho * z + math.sqrt(1.0 - rho * rho) * own)
    return Moves.of(
        z.size,
        spot=np.expm1(np.clip(volatility * root * z, -6.9, 6.9)),
        volatility=np.expm1(np.clip(shock, -3.0, 3.0)),
        years=policy.horizon_days * DAY,
    )


def _van_der_corput(count: int) -> Floats:
    """The first `count` points of base 2, none of them 0 (Niederreiter, 1992)."""
    index = np.arange(1, count + 1)
    found, weight = np.zeros(count), 0.5
    while index.any():
        found += weight * (index & 1)
        index >>= 1
        weight *= 0.5
    return found
