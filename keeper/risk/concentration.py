"""How much hangs on one venue, one underlying, one expiry."""

from collections.abc import Callable

from keeper.model.exposure import Exposure, Kind
from keeper.model.risk_report import Concentration


def concentrations(
    exposures: tuple[Exposure, ...], values: tuple[float, ...]
) -> tuple[Concentration, ...]:
    """Shares of the gross value by venue and underlying, and of the options' by expiry (in days)."""
    cuts: tuple[tuple[str, Callable[[Exposure], str | None]], ...] = (
        ("venue", lambda e: e.venue),
        ("underlying", lambda e: e.underlying),
        ("expiry", lambda e: f"{e.years * 365:.1f} days" if e.kind is Kind.OPTION else None),
    )
    found = (_cut(by, key, exposures, values) for by, key in cuts)
    return tuple(c for c in found if c is not None)


def _cut(
    by: str,
    key: Callable[[Exposure], str | None],
    exposures: tuple[Exposure, ...],
    values: tuple[float, ...],
) -> Concentration | None:
    sums: dict[str, float] = {}
    for e, value in zip(exposures, values, strict=True):
        name = key(e)
        if name is not None:
            sums[name] = sums.get(name, 0.0) + abs(value)
    gross = sum(sums.values())
    if gross <= 0.0:
        return None
    largest = max(sorted(sums), key=lambda name: sums[name])
    shares = [value / gross for value in sums.values()]
    return Concentration(by, largest, sums[largest] / gross, sum(s * s for s in shares))
