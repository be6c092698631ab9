"""What is hedged and at what cost; and the band that comes of it.

A whole book is mapped to one option. Under exponential utility a linear position only moves the hedge, so what shapes
the band is the book's curvature: its gamma, how long the gamma lasts (vega = gamma S^2 volatility years) and on
which side of the strike it sits (vanna = -vega d2 / (S volatility sqrt(years))). The one option with the book's
gamma, vega and vanna has the book's band to the order the band depends on; for a book of one option it is that
option. Interest is left out: use forwards and discounted values, or years short enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr  # type: ignore[import-untyped]

from keeper.errors import QuantityError

Floats = NDArray[np.float64]

FURTHEST_SD = 3.0  # the table's, too: further out a book has no gamma to speak of


@dataclass(frozen=True, slots=True)
class Exposure:
    """The option each element is hedged as, and the delta it really has. Arrays of one shape."""

    spot: Floats
    delta: Floats
    """Of the whole book without its hedge, units of the underlying; neutral is to hold minus this."""
    quantity: Floats
    """Options held; negative: written."""
    strike: Floats
    years: Floats
    volatility: Floats

    @classmethod
    def of_options(
        cls,
        spot: ArrayLike,
        strike: ArrayLike,
        years: ArrayLike,
        volatility: ArrayLike,
        quantity: ArrayLike = -1.0,
        sign: ArrayLike = 1.0,
    ) -> Exposure:
        """One European option per element, hedged on its own; `sign` +1 call, -1 put.

        Raises QuantityError for spot, strike or volatility not above zero, negative years or non-finite input.
        """
        s, k, t, v, n, w = _arrays(
            spot=spot,
            strike=strike,
            years=years,
            volatility=volatility,
            quantity=quantity,
            sign=sign,
        )
        for name, values in (("spot", s), ("strike", k), ("volatility", v)):
            _require(name, values > 0, values, "is not above zero")
        _require("years", t >= 0, t, "is negative")
        _require("sign", np.abs(w) == 1, w, "is neither +1 (call) nor -1 (put)")
        delta = n * (_call_delta(s, k, v * np.sqrt(t)) - np.where(w < 0, 1.0, 0.0))
        return cls(s, delta, n, k, t, v)

    @classmethod
    def of_book(
        cls,
        spot: ArrayLike,
        delta: ArrayLike,
        gamma: ArrayLike,
        vega: ArrayLike,
        vanna: ArrayLike,
        volatility: ArrayLike,
        years: ArrayLike,
    ) -> Exposure:
        """A book per element, from its totals: delta, gamma (per unit of price), vega and vanna (per 1.00 of
        volatility). `years` is taken where vega and gamma disagree in sign (a calendar spread): the time to
        the expiry that carries the gamma; moneyness is then at the money, where bands are widest.

        Raises QuantityError as `of_options`, with years above zero.
        """
        s, d, g, ve, va, v, t = _arrays(
            spot=spot,
            delta=delta,
            gamma=gamma,
            vega=vega,
            vanna=vanna,
            volatility=volatility,
            years=years,
        )
        for name, values in (("spot", s), ("volatility", v), ("years", t)):
            _require(name, values > 0, values, "is not above zero")
        plain = ve * g > 0
        with np.errstate(divide="ignore", invalid="ignore"):
            lasting = np.where(plain, ve / (g * s * s * v), t)
            root = v * np.sqrt(lasting)
            d2 = np.where(plain, -va / ve * s * root, -root / 2)
        d1 = np.clip(np.nan_to_num(d2) + root, -FURTHEST_SD, FURTHEST_SD)
        unit_gamma = np.exp(-d1 * d1 / 2) / (np.sqrt(2 * np.pi) * s * root)
        strike = s * np.exp(root * root / 2 - d1 * root)
        return cls(s, d, g / unit_gamma, strike, lasting, v)

    @property
    def variance(self) -> Floats:
        """volatility^2 x years left."""
        left: Floats = self.volatility**2 * self.years
        return left

    @property
    def gamma(self) -> Floats:
        """Signed, units of the underlying per unit of price; 0 at expiry."""
        root = np.sqrt(self.variance)
        with np.errstate(divide="ignore", invalid="ignore"):
            d1 = np.log(self.spot / self.strike) / root + root / 2
            unit = np.exp(-d1 * d1 / 2) / (np.sqrt(2 * np.pi) * self.spot * root)
        gamma: Floats = self.quantity * np.where(root > 0, unit, 0.0)
        return gamma

    def delta_shift(self, volatility: Floats) -> Floats:
        """How the delta of the mapped option changes when it is reckoned at another volatility."""
        years = np.sqrt(self.years)
        here = _call_delta(self.spot, self.strike, self.volatility * years)
        there = _call_delta(self.spot, self.strike, volatility * years)
        shift: Floats = self.quantity * (there - here)
        return shift


@dataclass(frozen=True, slots=True)
class Terms:
    """What trading the hedge costs and how much risk is disliked; scalars or arrays that broadcast."""

    cost_rate: ArrayLike
    """Share of a trade's value (0.001 = 10 bps); fee, half spread and impact together."""
    aversion: ArrayLike
    """Absolute risk aversion per unit of the quote currency; a relative aversion R is R / NAV."""
    fixed_cost: ArrayLike = 0.0
    """Paid per trade whatever its size (gas), quote currency."""

    def arrays(self) -> tuple[Floats, Floats, Floats]:
        """(cost rate, aversion, fixed cost). Raises QuantityError: costs >= 0, aversion > 0."""
        cost, aversion, fixed = _arrays(
            cost_rate=self.cost_rate, aversion=self.aversion, fixed_cost=self.fixed_cost
        )
        _require("cost_rate", (cost >= 0) & (cost < 1), cost, "is not in [0, 1)")
        _require("aversion", aversion > 0, aversion, "is not above zero")
        _require("fixed_cost", fixed >= 0, fixed, "is negative")
        return cost, aversion, fixed


@dataclass(frozen=True, slots=True)
class Band:
    """Where the hedge is left alone, and where it is brought otherwise; units of the underlying held."""

    lower: Floats
    """Below this: buy ..."""
    upper: Floats
    """Above this: sell ..."""
    lower_target: Floats
    """... up to this. `lower` itself unless trades have a fixed cost."""
    upper_target: Floats
    """... down to this."""

    def trade(self, holding: ArrayLike) -> Floats:
        """What to buy (negative: sell) of the hedge, given what is held."""
        held = np.asarray(holding, dtype=np.float64)
        with np.errstate(invalid="ignore"):  # an infinite edge is never crossed
            up = np.where(held < self.lower, self.lower_target - held, 0.0)
            traded: Floats = np.where(held > self.upper, self.upper_target - held, up)
        return traded


def _call_delta(spot: Floats, strike: Floats, root: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        x = np.log(spot / strike)
        d1 = np.where(root > 0, x / root + root / 2, np.where(x == 0, 0.0, np.copysign(np.inf, x)))
    delta: Floats = ndtr(d1)
    return delta


def _arrays(**named: ArrayLike) -> tuple[Floats, ...]:
    """Everything as float64, finite, of one shape."""
    result = {}
    for name, values in named.items():
        try:
            result[name] = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError):
            raise QuantityError(name, f"{values!r} is not numeric", "give numbers") from None
        _require(name, np.isfinite(result[name]), result[name], "is not finite")
    try:
        return tuple(np.broadcast_arrays(*result.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {values.shape}" for name, values in result.items())
        raise QuantityError(
            next(iter(named)), f"shapes differ: {shapes}", "give shapes that broadcast"
        ) from None


def _require(name: str, good: NDArray[np.bool_], values: Floats, problem: str) -> None:
    if np.all(good):
        return
    index = int(np.flatnonzero(~np.atleast_1d(good))[0])
    value = np.atleast_1d(values).ravel()[index]
    raise QuantityError(
        name, f"{value} {problem}", "correct or drop it", index if np.ndim(good) else None
    )
