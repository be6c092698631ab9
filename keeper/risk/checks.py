"""Inputs that cannot be meant, refused by name before anything is computed of them."""

import math
from collections.abc import Iterator

import numpy as np

from keeper.errors import QuantityError
from keeper.model.exposure import RiskInputs

_OPEN = 1e-12
"""Least of what must be positive, and distance from what must not be reached."""
_POLICY = {
    "confidence": (0.5, 1.0 - _OPEN),
    "horizon_days": (_OPEN, 3_650.0),
    "volatility_of_volatility": (0.0, 10.0),
    "spot_volatility_correlation": (-1.0, 1.0),
    "liquidation_tolerance": (1e-300, 1.0),
    "jump": (0.0, 0.99),
    "highest_health_target": (1.0, 1e6),
    "depeg": (0.0, 1.0 - _OPEN),
    "slice_impact_bps": (_OPEN, 10_000.0),
    "pool_recovery_s": (0.0, 1e9),
    "short_option_floor": (0.0, 1.0),
    "extreme_share": (0.0, 1.0),
    "warn_share": (0.0, 1.0),
}
_LIMITS = (
    "max_liquidation_probability",
    "max_var_of_nav",
    "max_margin_of_nav",
    "max_failure_of_nav",
    "max_exit_days",
)
_TEMPO = {
    "block_time_s": (_OPEN, 86_400.0),
    "inclusion_blocks": (0.0, 1e6),
    "calm_base_fee_wei": (0.0, 1e30),
    "oracle_latency_s": (0.0, 1e9),
    "gas_of_protection": (0.0, 1e12),
}
_JUMPS = {"intensity": (0.0, 1_000.0), "mean": (-5.0, 5.0), "deviation": (0.0, 5.0)}


def check_inputs(inputs: RiskInputs) -> None:
    """QuantityError for the first that is out of bounds; exposures are checked by the book of them."""
    for field, value, low, high in _bounded(inputs):
        if not low <= value <= high:  # nan as well
            raise QuantityError(field, f"is {value!r}", f"give {low:g} to {high:g}")
    residuals = np.array(inputs.residuals, dtype=np.float64)
    if not np.isfinite(residuals).all():
        index = int(np.argmin(np.isfinite(residuals)))
        raise QuantityError("residuals", f"hold {residuals[index]!r}", "give numbers", index)


def _bounded(inputs: RiskInputs) -> Iterator[tuple[str, float, float, float]]:
    for prefix, part, table in (
        ("policy", inputs.policy, _POLICY),
        ("tempo", inputs.tempo, _TEMPO),
        ("jumps", inputs.jumps, _JUMPS),
    ):
        for name, (low, high) in table.items():
            yield f"{prefix}.{name}", getattr(part, name), low, high
    for name in _LIMITS:
        bound = getattr(inputs.policy, name)
        if bound is not None:
            yield f"policy.{name}", bound, 0.0, math.inf
    yield "overlap", inputs.overlap, 1, 1e9
    for series, volatility in inputs.option_volatilities:
        yield f"option_volatilities.{series}", volatility, 0.0, 10.0
    for dependence in inputs.dependences:
        name = f"dependences.{dependence.upstream}.{dependence.downstream}"
        yield name, dependence.severity, 0.0, 1.0
    for venue in inputs.margin_venues:
        yield f"margin_venues.{venue.id}.maintenance", venue.maintenance, _OPEN, 1.0
