"""A volatility surface: one eSSVI smile per expiry and, by interpolation, one at every time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keeper.errors import QuantityError
from keeper.quant.surface import between
from keeper.quant.surface.between import Smiles
from keeper.quant.surface.numbers import Floats, Numbers, not_negative, numbers

Evaluate = Callable[[Smiles, Floats, Floats, Floats], None]

FARTHEST = 1e100
"""Of |k| and years: squares are numbers still."""
NEAREST_TIME = 1e-100
"""For derivatives in time."""
GRID = 3_001
"""Points of the dense grid on which arbitrage is looked for."""
GRID_HALF_WIDTH = 10.0
"""Of that grid: in standard deviations at the money, and at least a factor e^1.5 of the forward."""


@dataclass(frozen=True, slots=True)
class Local:
    """What the surface does around points (k, t); arrays of the points' shape."""

    variance: Floats
    """Total variance w."""
    slope: Floats
    """dw/dk."""
    curvature: Floats
    """d2w/dk2."""
    time_slope: Floats
    """dw/dt at constant k, per year; from the right at an expiry."""
    durrleman: Floats
    """g(k): negative means butterfly arbitrage."""

    @property
    def volatility(self) -> Floats:
        """Local volatility of Dupire, annualised: sqrt(dw/dt / g) (Gatheral 2006, equation 1.10)."""
        return np.asarray(np.sqrt(self.time_slope / self.durrleman))


@dataclass(frozen=True, slots=True)
class Surface:
    """Smiles by expiry, each array (expiries,), and what lies between them. See `smile` for the formula.

    Free of butterfly and calendar arbitrage, everywhere, if the smiles fulfil the conditions of `constraints`;
    surfaces of `fit` do. k is ln(strike / forward), the forward being that of the point's own time.
    """

    years: Floats
    theta: Floats
    """Total variance at the money."""
    right: Floats
    """psi (1 + rho)."""
    left: Floats
    """psi (1 - rho)."""

    @classmethod
    def of(cls, years: Numbers, level: Numbers, rho: Numbers, convexity: Numbers) -> Surface:
        """From volatility at the money, skew rho and convexity psi / sqrt(theta), each (expiries,).

        Errors: `QuantityError` for unequal lengths, times not increasing from above 0, a level or convexity not
        positive, |rho| >= 1. Arbitrage is not refused: `faults` names it.
        """
        t, sigma = numbers("years", years), numbers("level", level)
        r, c = numbers("rho", rho), numbers("convexity", convexity)
        for name, array in (("years", t), ("level", sigma), ("rho", r), ("convexity", c)):
            if array.shape != t.shape or t.ndim != 1 or t.size == 0:
                problem = f"has shape {array.shape}, years has {t.shape}"
                raise QuantityError(name, problem, "give arrays of one length, at least 1")
        _require("years", np.diff(t, prepend=0.0) > 0, t, "increasing from above 0")
        _require("level", sigma > 0, sigma, "positive")
        _require("rho", np.abs(r) < 1, r, "between -1 and 1")
        _require("convexity", c > 0, c, "positive")
        psi = c * sigma * np.sqrt(t)
        return cls(t, sigma * sigma * t, psi * (1 + r), psi * (1 - r))

    @property
    def smiles(self) -> Smiles:
        """As the kernels take them."""
        return Smiles(self.years, self.theta, self.right, self.left)

    @property
    def level(self) -> Floats:
        """Volatility at the money, annualised."""
        return np.asarray(np.sqrt(self.theta / self.years))

    @property
    def psi(self) -> Floats:
        """theta phi: curvature and slope of total variance."""
        return np.asarray(0.5 * (self.right + self.left))

    @property
    def rho(self) -> Floats:
        """Skew, in (-1, 1)."""
        return np.asarray((self.right - self.left) / (self.right + self.left))

    @property
    def convexity(self) -> Floats:
        """psi / sqrt(theta): curvature in standardised log-moneyness."""
        return np.asarray(self.psi / np.sqrt(self.theta))

    def total_variance(self, k: Numbers, years: Numbers) -> Floats:
        """Total variance at log-moneyness `k` and time `years`, broadcast against each other; 0 at time 0.

        Errors: `QuantityError` for what is not finite and for negative times.
        """
        return self._each(between.total_variances, k, years)

    def volatility(self, k: Numbers, years: Numbers) -> Floats:
        """Annualised volatility, likewise; at time 0 its limit, that of the first expiry at the same k."""
        return self._each(between.volatilities, k, years)

    def local(self, k: Numbers, years: Numbers) -> Local:
        """Derivatives around the points, likewise; time must be positive."""
        x, t, shape = _points(k, years)
        _require("years", t > NEAREST_TIME, t, "positive")
        out = np.empty((5, x.size))
        between.locals_at(self.smiles, x, t, out)
        return Local(*(row.reshape(shape) for row in out))

    def smile_at(self, years: float) -> tuple[float, float, float]:
        """theta, right and left at one positive time."""
        t = numbers("years", years)
        if t.size != 1:
            raise QuantityError("years", f"has shape {t.shape}", "give one time")
        _require("years", t > NEAREST_TIME, np.atleast_1d(t), "positive")
        return between.smile_at(self.smiles, float(t.item()))[:3]

    def grid(self, i: int) -> Floats:
        """The dense grid of expiry i: `GRID` log-moneynesses, the forward in the middle."""
        half = max(GRID_HALF_WIDTH * float(np.sqrt(self.theta[i])), 1.5)
        return np.linspace(-half, half, GRID)

    def least_g(self) -> Floats:
        """Least of Durrleman's g on the dense grid, by expiry; not negative without butterfly arbitrage."""
        smiles = zip(self.theta, self.right, self.left, strict=True)
        return np.array([between.least_g(*smile, self.grid(i)) for i, smile in enumerate(smiles)])

    def calendar_gap(self) -> Floats:
        """Least rise of total variance from an expiry to the next on the dense grid, (expiries - 1,)."""
        gaps = np.empty(max(self.years.size - 1, 0))
        for i in range(gaps.size):
            k = self.grid(i + 1)
            before = self.total_variance(k, float(self.years[i]))
            gaps[i] = np.min(self.total_variance(k, float(self.years[i + 1])) - before)
        return gaps

    def faults(self) -> tuple[str, ...]:
        """Each condition of `constraints` that does not hold, in words; empty: free of arbitrage everywhere."""
        found = []
        size, shape = np.maximum(self.right, self.left), self.psi / self.theta
        for i in range(self.years.size):
            at = f"expiry {i} ({self.years[i]:.6g} years)"
            if size[i] > 4:
                found.append(f"{at}: a wing's slope is above Lee's bound")
            if self.psi[i] * size[i] > 4 * self.theta[i]:
                found.append(f"{at}: psi^2 (1 + |rho|) is above 4 theta (butterfly)")
            if i and (self.right[i] < self.right[i - 1] or self.left[i] < self.left[i - 1]):
                found.append(f"{at}: a wing's slope falls from the expiry before (calendar)")
            if i and shape[i] > shape[i - 1]:
                found.append(f"{at}: psi / theta rises from the expiry before (calendar)")
        return tuple(found)

    def _each(self, evaluate: Evaluate, k: Numbers, years: Numbers) -> Floats:
        x, t, shape = _points(k, years)
        not_negative("years", t)
        out = np.empty(x.size)
        evaluate(self.smiles, x, t, out)
        return out.reshape(shape)


def _points(k: Numbers, years: Numbers) -> tuple[Floats, Floats, tuple[int, ...]]:
    x, t = numbers("k", k), numbers("years", years)
    for name, values in (("k", x), ("years", t)):
        _require(name, np.abs(values) <= FARTHEST, values, "within 1e100 of 0")
    try:
        x, t = np.broadcast_arrays(x, t)
    except ValueError:
        problem = f"shape {x.shape} does not broadcast with that of years, {t.shape}"
        raise QuantityError("k", problem, "give one value or arrays of matching shape") from None
    return x.flatten(), t.flatten(), x.shape


def _require(field: str, good: npt.NDArray[np.bool_], values: Floats, what: str) -> None:
    if not np.all(good):
        index = int(np.argmin(good))
        problem = f"{np.ravel(values)[index]:g} is not {what}"
        raise QuantityError(field, problem, f"give values {what}", index)
