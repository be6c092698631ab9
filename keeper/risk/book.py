"""The exposures as arrays, and their value under any number of moves of the market in one pass.

Everything is homogeneous in the unit of account: a depeg d makes one asset worth 1 - d of its par, so that prices
in assets rise by 1 / (1 - d) and every value, taken back to par, is multiplied by 1 - d.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from keeper.errors import QuantityError
from keeper.model.exposure import ASSET, BASE, Exposure, Kind, Underlying
from keeper.model.risk_report import GreekSet
from keeper.quant import black

Floats = NDArray[np.float64]
LEAST_SPOT = -0.999
"""A fall of everything leaves a thousandth: logarithms and options need a price."""
MOST_VOLATILITY = 10.0
CHUNK = 400_000
"""Values held at once when only totals are asked for."""
GREEKS = ("value", "delta", "gamma", "vega", "theta", "rho", "vanna", "volga")


@dataclass(frozen=True, slots=True)
class Moves:
    """m moves of the market; every array is (m,)."""

    spot: Floats
    """Change of the base price, fraction; at least LEAST_SPOT."""
    volatility: Floats
    """Change of every volatility, fraction."""
    years: Floats
    """That pass."""
    skew: Floats
    """Added to volatility for each unit of log(strike / price)."""
    correlation: Floats
    """Of every other underlying with base; NaN: its own."""
    depeg: Floats
    """Fall of the asset below its par, 0 to 0.99."""
    funding: Floats
    """Added to what longs pay, a year."""
    rates: Floats
    """Added to every loan's rate, a year."""

    @classmethod
    def of(cls, count: int, **given: Floats | float) -> "Moves":
        """`count` moves of nothing but what is given."""
        values = {field.name: np.zeros(count) for field in fields(cls)}
        values["correlation"] = np.full(count, np.nan)
        for name, value in given.items():
            values[name] = np.ascontiguousarray(np.broadcast_to(np.asarray(value, float), (count,)))
        return cls(**values)

    def part(self, begin: int, end: int) -> "Moves":
        """Those from `begin` to before `end`."""
        return Moves(*(getattr(self, field.name)[begin:end] for field in fields(self)))


@dataclass(frozen=True)
class Book:
    """n exposures at today's prices."""

    exposures: tuple[Exposure, ...]
    price: float
    volatility: float | None
    underlyings: tuple[Underlying, ...] = ()

    def __post_init__(self) -> None:
        _check(self)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of all underlyings: the asset first, base second."""
        return (ASSET, BASE, *(u.id for u in self.underlyings))

    @cached_property
    def prices(self) -> Floats:
        """(k,) of all underlyings in assets."""
        return np.array([1.0, self.price, *(u.price for u in self.underlyings)])

    @cached_property
    def which(self) -> NDArray[np.int64]:
        """(n,) index of each exposure's underlying."""
        index = {name: i for i, name in enumerate(self.names)}
        return np.array([index[e.underlying] for e in self.exposures], dtype=np.int64)

    @cached_property
    def quantity(self) -> Floats:
        """(n,)."""
        return np.array([e.quantity for e in self.exposures], dtype=np.float64)

    @cached_property
    def options(self) -> NDArray[np.int64]:
        """(o,) positions of the options."""
        found = [i for i, e in enumerate(self.exposures) if e.kind is Kind.OPTION]
        return np.array(found, dtype=np.int64)

    @cached_property
    def terms(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Strike, years, volatility (0 where unknown) and sign of the options, each (o,)."""
        chosen = [self.exposures[i] for i in self.options]
        return (
            np.array([e.strike for e in chosen], dtype=np.float64),
            np.array([max(0.0, e.years) for e in chosen], dtype=np.float64),
            np.array([e.volatility or 0.0 for e in chosen], dtype=np.float64),
            np.array([1.0 if e.is_call else -1.0 for e in chosen], dtype=np.float64),
        )

    @cached_property
    def linear(self) -> tuple[Floats, Floats, Floats, Floats]:
        """(n,) each: entry price, interest a year earned, loan (1 or 0), perpetual (1 or 0); options are 0."""
        kinds = [e.kind for e in self.exposures]
        entry = [
            e.entry if k is Kind.PERPETUAL else 0.0
            for e, k in zip(self.exposures, kinds, strict=True)
        ]
        earned = [
            -e.rate if k is Kind.PERPETUAL else e.rate
            for e, k in zip(self.exposures, kinds, strict=True)
        ]
        return (
            np.array(entry, dtype=np.float64),
            np.array(earned, dtype=np.float64),
            np.array([float(k is Kind.LOAN) for k in kinds]),
            np.array([float(k is Kind.PERPETUAL) for k in kinds]),
        )

    def spots(self, moves: Moves) -> Floats:
        """(m, k): prices of all underlyings in assets after the moves."""
        log_spot = np.log1p(np.maximum(moves.spot, LEAST_SPOT))
        found = np.empty((moves.spot.size, self.prices.size))
        found[:, 0] = 1.0
        found[:, 1] = self.price * np.exp(log_spot)
        for at, other in enumerate(self.underlyings, start=2):
            own = np.where(np.isnan(moves.correlation), other.correlation, moves.correlation)
            ratio = other.volatility / self.volatility if self.volatility else 1.0
            found[:, at] = other.price * np.exp(own * ratio * log_spot)
        found[:, 1:] /= (1.0 - moves.depeg)[:, None]
        return found

    def values(self, moves: Moves) -> Floats:
        """(m, n): value of every exposure after every move, assets at par."""
        if not self.exposures:
            return np.zeros((moves.spot.size, 0))
        spots = self.spots(moves)
        entry, earned, loan, perpetual = self.linear
        at = spots[:, self.which]
        growth = moves.years[:, None] * (
            earned + np.outer(moves.rates, loan) - np.outer(moves.funding, perpetual)
        )
        found: Floats = self.quantity * (at * (1.0 + growth) - entry)
        if self.options.size:
            strike, years, volatility, sign = self.terms
            price = at[:, self.options]
            shifted = volatility * (1.0 + moves.volatility[:, None])
            if moves.skew.any():
                shifted = shifted + moves.skew[:, None] * np.log(strike / price)
            found[:, self.options] = self.quantity[self.options] * black.price(
                price,
                strike,
                np.maximum(years - moves.years[:, None], 0.0),
                np.clip(shifted, 0.0, MOST_VOLATILITY),
                sign,
            )
        found *= (1.0 - moves.depeg)[:, None]
        return found

    def totals(self, moves: Moves) -> Floats:
        """(m,): value of everything after every move, in bounded memory."""
        step = max(1, CHUNK // max(1, len(self.exposures)))
        parts = [
            self.values(moves.part(begin, begin + step)).sum(axis=1)
            for begin in range(0, moves.spot.size, step)
        ]
        return np.concatenate(parts) if parts else np.zeros(0)

    def greeks(self) -> Floats:
        """(8, n) in the order of GREEKS, at today's prices."""
        entry, earned, _, _ = self.linear
        at = self.prices[self.which]
        found = np.zeros((8, len(self.exposures)))
        found[0] = self.quantity * (at - entry)
        found[1] = np.where(self.which == 0, 0.0, self.quantity)
        found[4] = self.quantity * at * earned
        if self.options.size:
            chosen = self.options
            strike, years, volatility, sign = self.terms
            g = black.greeks(at[chosen], strike, years, volatility, sign)
            for row, part in enumerate(
                (g.price, g.delta, g.gamma, g.vega, g.theta, g.rho, g.vanna, g.volga)
            ):
                found[row, chosen] = self.quantity[chosen] * part
        scale = np.where(self.which == 0, 1.0, at / self.price)
        found[1] *= scale
        found[2] *= scale * scale
        found[6] *= scale
        return found


def greek_set(columns: Floats) -> GreekSet:
    """One column of `Book.greeks`, or a sum of them."""
    return GreekSet(*(float(x) for x in columns))


def _check(book: Book) -> None:
    """A figure that cannot be meant stops the whole: a sum with one wrong part is wrong."""
    if not (np.isfinite(book.price) and book.price > 0.0):
        raise QuantityError("price", f"is {book.price!r}", "give a positive price of base")
    known = set(book.names)
    for field in ("price", "volatility"):
        _positive(f"underlyings.{field}", [getattr(u, field) for u in book.underlyings])
    for at, e in enumerate(book.exposures):
        if e.underlying not in known:
            raise QuantityError(
                "exposures.underlying", f"is {e.underlying!r}", "add it to the underlyings", at
            )
        if not np.isfinite((e.quantity, e.strike, e.years, e.entry, e.rate)).all():
            raise QuantityError("exposures", f"{e.id} is not finite", "correct its figures", at)
        if e.kind is Kind.OPTION and e.strike <= 0.0:
            raise QuantityError("exposures.strike", f"is {e.strike!r}", "give a positive one", at)
        if e.volatility is not None and not 0.0 <= e.volatility <= MOST_VOLATILITY:
            problem = f"is {e.volatility!r}"
            raise QuantityError("exposures.volatility", problem, "give 0 to 10, a year", at)


def _positive(field: str, values: Sequence[float]) -> None:
    for at, value in enumerate(values):
        if not (np.isfinite(value) and value > 0.0):
            raise QuantityError(field, f"is {value!r}", "give a positive number", at)
