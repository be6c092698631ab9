"""Linear programmes, solved by HiGHS."""

from collections.abc import Sequence
from dataclasses import dataclass

Row = Sequence[float]


@dataclass(frozen=True, slots=True)
class Programme:
    """Maximise gains x over lower <= x <= upper with at_most rows x <= bounds and equal rows x = values."""

    gains: Row
    lower: Row
    upper: Row
    at_most: Sequence[Row] = ()
    bounds: Row = ()
    equal: Sequence[Row] = ()
    values: Row = ()


def solve(programme: Programme) -> tuple[float, ...] | None:
    """The best x; None if there is none."""
    from scipy.optimize import linprog  # type: ignore[import-untyped]  # heavy: only for who solves one

    found = linprog(
        [-gain for gain in programme.gains],
        A_ub=list(programme.at_most) or None,
        b_ub=list(programme.bounds) or None,
        A_eq=list(programme.equal) or None,
        b_eq=list(programme.values) or None,
        bounds=list(zip(programme.lower, programme.upper, strict=True)),
        method="highs",
    )
    return tuple(float(x) for x in found.x) if found.status == 0 else None
