"""The exposures as arrays, and their value under any number of moves of the market in one pass.

Everything is homogeneous in the unit of account: a depeg d makes one asset worth 1 - d of its par, so that prices
in assets rise by 1 / (1 - d) and every value, taken back to par, is multiplied by 1 - d.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from keeper.errors import QuantityError
from keeper.model.exposure import ASSET, BASE, Exposure, Kind, Underlying
from keeper.model.risk_report import GreekSet
from keeper.quant import black, revaluation
from keeper.risk.exposures import LENDING

Floats = NDArray[np.float64]
LEAST_SPOT = -0.999
"""A fall of everything leaves a thousandth: logarithms and options need a price."""
MOST_VOLATILITY = 10.0
CHUNK = 400_000
"""Values held at once when only totals are asked for."""
_FIGURES = ("quantity", "strike", "years", "entry", "rate", "volatility")
_OPTION, _LOAN, _PERPETUAL = Kind.OPTION, Kind.LOAN, Kind.PERPETUAL
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


class Linear(NamedTuple):
    """What moves with its price alone; every array is (l,)."""

    at: NDArray[np.int64]
    """Positions in the book."""
    quantity: Floats
    entry: Floats
    """Price it was opened at; 0 but for perpetuals."""
    earned: Floats
    """Interest or funding earned a year, of the value."""
    loan: Floats
    """1 for a loan, else 0."""
    perpetual: Floats


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
    def figures(self) -> Floats:
        """(6, n): quantity, strike, years, entry, rate, volatility (NaN where unknown)."""
        return np.array(
            [list(map(attrgetter(name), self.exposures)) for name in _FIGURES], dtype=np.float64
        )

    @property
    def quantity(self) -> Floats:
        """(n,)."""
        found: Floats = self.figures[0]
        return found

    @cached_property
    def is_option(self) -> NDArray[np.bool_]:
        """(n,)."""
        return np.array([e.kind is _OPTION for e in self.exposures], dtype=bool)

    @cached_property
    def options(self) -> NDArray[np.int64]:
        """(o,) positions of the options."""
        return np.flatnonzero(self.is_option)

    @cached_property
    def lent(self) -> tuple[int, ...]:
        """Positions of what is at the lending venue."""
        return tuple(i for i, e in enumerate(self.exposures) if e.venue == LENDING)

    @cached_property
    def terms(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Strike, years, volatility (0 where unknown) and sign of the options, each (o,)."""
        _, strike, years, _, _, volatility = self.figures[:, self.options]
        sign = np.array([1.0 if self.exposures[i].is_call else -1.0 for i in self.options])
        return strike, np.maximum(years, 0.0), np.nan_to_num(volatility), sign

    @cached_property
    def linear(self) -> "Linear":
        """Everything but the options."""
        at = np.flatnonzero(~self.is_option)
        kinds = [self.exposures[i].kind for i in at]
        perpetual = np.array([float(kind is _PERPETUAL) for kind in kinds])
        quantity, _, _, entry, rate, _ = self.figures[:, at]
        return Linear(
            at,
            quantity,
            entry * perpetual,
            rate * (1.0 - 2.0 * perpetual),
            np.array([float(kind is _LOAN) for kind in kinds]),
            perpetual,
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

    @cached_property
    def _revalued(self) -> tuple[revaluation.Options, revaluation.Lines]:
        """The terms of everything as the kernel takes them."""
        line, chosen = self.linear, self.options
        return (
            revaluation.Options(
                chosen, self.which[chosen], np.stack((self.quantity[chosen], *self.terms))
            ),
            revaluation.Lines(line.at, self.which[line.at], np.stack(line[1:])),
        )

    def values(self, moves: Moves) -> Floats:
        """(m, n): value of every exposure after every move, assets at par."""
        spots = self.spots(moves)
        shifts = revaluation.Shifts(
            moves.volatility, moves.years, moves.skew, moves.depeg, moves.rates, moves.funding
        )
        found, wrong = revaluation.revalue(*self._revalued, spots, shifts, MOST_VOLATILITY)
        if wrong:
            self._refuse(spots, moves)
        return found

    def _refuse(self, spots: Floats, moves: Moves) -> None:
        """Raises with the name of what is out of bounds, move by move."""
        strike, years, _, sign = self.terms
        for spot, passed in zip(spots, moves.years, strict=True):
            price = spot[self.which[self.options]]
            black.price(price, strike, np.maximum(years - passed, 0.0), 0.0, sign)

    def totals(self, moves: Moves) -> Floats:
        """(m,): value of everything after every move, in bounded memory."""
        step = max(1, CHUNK // max(1, len(self.exposures)))
        parts = [
            self.values(moves.part(begin, begin + step)).sum(axis=1)
            for begin in range(0, moves.spot.size, step)
        ]
        return np.concatenate(parts) if parts else np.zeros(0)

    def greeks(self, price: float | None = None) -> Floats:
        """(8, n) in the order of GREEKS, at today's prices or at another one of base."""
        prices = self.prices.copy()
        prices[1] = self.price if price is None else price
        at = prices[self.which]
        found = np.zeros((8, len(self.exposures)))
        line = self.linear
        level = at[line.at]
        found[0, line.at] = line.quantity * (level - line.entry)
        found[1, line.at] = np.where(self.which[line.at] == 0, 0.0, line.quantity)
        found[4, line.at] = line.quantity * level * line.earned
        if self.options.size:
            chosen = self.options
            strike, years, volatility, sign = self.terms
            g = black.greeks(at[chosen], strike, years, volatility, sign)
            for row, part in enumerate(
                (g.price, g.delta, g.gamma, g.vega, g.theta, g.rho, g.vanna, g.volga)
            ):
                found[row, chosen] = self.quantity[chosen] * part
        scale = np.where(self.which == 0, 1.0, at / prices[1])
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
    for field in ("price", "volatility"):
        _positive(f"underlyings.{field}", [getattr(u, field) for u in book.underlyings])
    known = set(book.names)
    for at, e in enumerate(book.exposures):
        if e.underlying not in known:
            raise QuantityError(
                "exposures.underlying", f"is {e.underlying!r}", "add it to the underlyings", at
            )
    if not book.exposures:
        return
    figures = book.figures
    _all(np.isfinite(figures[:5]).all(axis=0), book, "exposures", "is not finite")
    _all(~book.is_option | (figures[1] > 0.0), book, "exposures.strike", "is not positive")
    sane = (figures[5] >= 0.0) & (figures[5] <= MOST_VOLATILITY)
    if not sane.all():
        unknown = np.array([e.volatility is None for e in book.exposures])
        _all(unknown | sane, book, "exposures.volatility", "is not between 0 and 10, a year")


def _all(good: NDArray[np.bool_], book: Book, field: str, problem: str) -> None:
    if not good.all():
        at = int(np.argmin(good))
        raise QuantityError(field, f"of {book.exposures[at].id} {problem}", "correct it", at)


def _positive(field: str, values: Sequence[float]) -> None:
    for at, value in enumerate(values):
        if not (np.isfinite(value) and value > 0.0):
            raise QuantityError(field, f"is {value!r}", "give a positive number", at)
