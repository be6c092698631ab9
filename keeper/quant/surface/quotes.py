"""Quotes as a market shows them, and which of them a surface can be fitted to: each is kept or dropped with a
reason."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from keeper.errors import QuantityError
from keeper.quant.implied import implied_volatility
from keeper.quant.inputs import as_floats
from keeper.quant.surface.numbers import Floats, Numbers

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]

MIN_VOLATILITY, MAX_VOLATILITY = 1e-4, 20.0
"""Beyond them a quote is taken for a mistake."""
MIN_YEARS, MAX_YEARS = 1e-8, 1000.0
"""A third of a second; and seconds or days given for years."""

MAX_DISTANCE = 10.0


class Fate(IntEnum):
    """What became of a quote."""

    KEPT = 0
    NOT_A_NUMBER = 1
    """Time, strike, forward or age is not finite, or strike or forward not positive."""
    EXPIRED = 2
    """Time to expiry is under `MIN_YEARS`."""
    EMPTY = 3
    """No bid or no ask: missing, zero or negative."""
    CROSSED = 4
    """Bid above ask."""
    STALE = 5
    """Older than allowed."""
    ABSURD = 6
    """Volatility outside `MIN_VOLATILITY` to `MAX_VOLATILITY`, or time above `MAX_YEARS`."""
    DUPLICATE = 7
    """Another quote of this expiry, strike and side is tighter."""
    NO_VOLATILITY = 8
    """A price that no volatility explains: below intrinsic value or above the maximum."""
    FAR = 9
    """More than `MAX_DISTANCE` standard deviations from the money, by its own volatility: says little."""
    OUTLIER = 10
    """Far from the surface that all other quotes make."""
    EARLY = 11
    """Made after now: its age is negative, so one of two clocks is wrong."""

    @property
    def words(self) -> str:
        """For reports."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True, slots=True)
class Quotes:
    """Two-sided quotes in volatility, in any order: arrays of one length. Use `of`, which checks.

    NaN stands for a side that is not there. `sign` is +1 for a call, -1 for a put; `age_s` is how long ago the quote
    was made; `fate` carries what is already known against a quote, else `KEPT`.
    """

    years: Floats
    strike: Floats
    forward: Floats
    bid: Floats
    ask: Floats
    sign: Floats
    age_s: Floats
    fate: Codes

    @classmethod
    def of(
        cls,
        years: Numbers,
        strike: Numbers,
        forward: Numbers,
        bid: Numbers,
        ask: Numbers,
        *,
        sign: Numbers = 1,
        age_s: Numbers = 0,
    ) -> Quotes:
        """Arrays (quotes,) or single values: time to expiry in years, prices in one unit, volatilities as fractions.

        Errors: `QuantityError` for shapes that do not match, elements that are not numbers, a sign other than +1 and
        -1. What is wrong with single quotes is no error: `clean` drops them.
        """
        given = {
            "years": years,
            "strike": strike,
            "forward": forward,
            "bid": bid,
            "ask": ask,
            "sign": sign,
            "age_s": age_s,
        }
        arrays = {name: np.atleast_1d(as_floats(name, values)) for name, values in given.items()}
        sizes = {array.size for array in arrays.values()}
        size = 0 if sizes <= {0, 1} and 0 in sizes else max(sizes)
        for name, array in arrays.items():
            if array.ndim != 1 or array.size not in (1, size):
                problem = f"has shape {array.shape} among {size} quotes"
                raise QuantityError(name, problem, f"give one value or {size}")
        bad = np.abs(arrays["sign"]) != 1
        if bad.any():
            index = int(np.argmax(bad))
            problem = f"{arrays['sign'][index]:g} is neither 1 (call) nor -1 (put)"
            raise QuantityError("sign", problem, "give 1 or -1", index)
        whole = {
            name: array if array.size == size else np.full(size, array[0])
            for name, array in arrays.items()
        }
        return cls(**whole, fate=np.zeros(size, dtype=np.int8))

    @classmethod
    def of_prices(
        cls,
        years: Numbers,
        strike: Numbers,
        forward: Numbers,
        bid: Numbers,
        ask: Numbers,
        *,
        sign: Numbers,
        rate: float = 0.0,
        age_s: Numbers = 0,
    ) -> Quotes:
        """The same from premiums paid now, in the strike's unit; `rate` discounts them, continuously compounded.

        A side whose price no volatility explains makes the quote `NO_VOLATILITY`; one that is missing, `EMPTY`.
        """
        prices = cls.of(years, strike, forward, bid, ask, sign=sign, age_s=age_s)
        fate = clean(prices, np.inf, in_volatility=False)[0]
        fate[fate == Fate.DUPLICATE] = Fate.KEPT  # which one is tighter is told in volatility
        good = fate == Fate.KEPT
        sides = []
        for price in (prices.bid, prices.ask):
            volatility = np.full(len(prices), np.nan)
            inverse = implied_volatility(
                price[good],
                prices.forward[good],
                prices.strike[good],
                prices.years[good],
                prices.sign[good],
                rate,
            )
            solved = np.asarray(inverse.volatility)
            volatility[good] = np.where(np.asarray(inverse.status) == 0, solved, np.nan)
            sides.append(volatility)
        fate[good & ~((sides[0] > 0) & (sides[1] > 0))] = Fate.NO_VOLATILITY
        return replace(prices, bid=sides[0], ask=sides[1], fate=fate)

    def __len__(self) -> int:
        return int(self.years.size)

    @property
    def mid(self) -> Floats:
        """Middle of bid and ask, in volatility."""
        return 0.5 * (self.bid + self.ask)

    @property
    def k(self) -> Floats:
        """ln(strike / forward)."""
        # log1p keeps the digits near the money.
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.log1p((self.strike - self.forward) / self.forward))


def clean(quotes: Quotes, max_age_s: float, *, in_volatility: bool = True) -> tuple[Codes, Ints]:
    """The fate of each quote, and indexes of those kept, by expiry, strike and side.

    in_volatility: whether bid and ask are volatilities; otherwise they are prices, of which less can be said.
    """
    fate = quotes.fate.copy()
    finite = np.isfinite(quotes.years) & np.isfinite(quotes.age_s)
    # A comparison with NaN is false, so what is written below also drops NaN.
    prices = (quotes.strike > 0) & (quotes.forward > 0)
    whole = finite & prices & np.isfinite(quotes.strike) & np.isfinite(quotes.forward)
    sides = (quotes.bid > 0) & (quotes.ask > 0)
    for code, good in (
        (Fate.NOT_A_NUMBER, whole),
        (Fate.EXPIRED, quotes.years >= MIN_YEARS),
        (Fate.EMPTY, sides),
        (Fate.CROSSED, quotes.bid <= quotes.ask),
        (Fate.STALE, quotes.age_s <= max_age_s),
        (Fate.EARLY, quotes.age_s >= 0),
        (Fate.ABSURD, quotes.years <= MAX_YEARS),
        (Fate.ABSURD, quotes.ask <= (MAX_VOLATILITY if in_volatility else np.inf)),
        (Fate.ABSURD, quotes.bid >= (MIN_VOLATILITY if in_volatility else 0.0)),
    ):
        fate[(fate == Fate.KEPT) & ~good] = code
    kept = np.flatnonzero(fate == Fate.KEPT)
    deviation = quotes.mid[kept] * np.sqrt(quotes.years[kept])
    far = np.abs(quotes.k[kept]) > MAX_DISTANCE * deviation
    if in_volatility and far.any():
        fate[kept[far]] = Fate.FAR
        kept = kept[~far]
    spread = (quotes.ask - quotes.bid)[kept]
    order = np.lexsort((spread, quotes.sign[kept], quotes.strike[kept], quotes.years[kept]))
    kept = kept[order]
    if kept.size > 1:
        before, after = kept[:-1], kept[1:]
        again = (
            (quotes.years[before] == quotes.years[after])
            & (quotes.strike[before] == quotes.strike[after])
            & (quotes.sign[before] == quotes.sign[after])
        )
        if again.any():
            fate[after[again]] = Fate.DUPLICATE
            kept = np.concatenate((kept[:1], after[~again]))
    return fate, kept
