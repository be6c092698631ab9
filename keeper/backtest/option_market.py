"""What options are worth in the simulated market: smiles or an index where data give them, else a stated assumption."""

import math
from dataclasses import dataclass, field

import numpy as np

from keeper.backtest.events import SmilesEvent, VolatilityEvent
from keeper.backtest.spec import OptionsSpec
from keeper.model.outlook import Smile
from keeper.model.quick import quick
from keeper.model.series import terms_of_instrument
from keeper.model.units import BPS, WAD
from keeper.quant.black import greeks

YEAR_S = 365 * 86_400
GRID = 10**12
"""Strikes are whole millionths of an asset."""
LEAST_VOLATILITY, MOST_VOLATILITY = 0.01, 5.0


@dataclass(frozen=True, slots=True)
class Terms:
    """One option or spread, by what it pays."""

    is_call: bool
    strike_wad: int
    expiry: int
    second_strike_wad: int = 0

    @property
    def key(self) -> str:
        """Name of the series, decimal as on the chain: expiry, strike in millionths, second strike, kind."""
        first, second = self.strike_wad // GRID, self.second_strike_wad // GRID
        return f"{self.expiry}{first:016d}{second:016d}{int(self.is_call)}"

    @property
    def instrument(self) -> str:
        """As orders and holdings name it (`Series.instrument`)."""
        strikes = [str(w // GRID) for w in (self.strike_wad, self.second_strike_wad) if w]
        return "-".join((str(self.expiry), *strikes, "C" if self.is_call else "P"))

    @classmethod
    def of_key(cls, key: str) -> "Terms | None":
        """The terms that this or an order's name of an instrument stands for; None if it is neither."""
        named = terms_of_instrument(key)
        if named is not None:
            is_call, strike, second_strike, at = named
            return cls(is_call, strike, at, second_strike)
        if not key.isdigit() or len(key) < 34:
            return None
        rest = key[:-1]
        expiry, first, second = rest[:-32], rest[-32:-16], rest[-16:]
        return cls(key[-1] == "1", int(first) * GRID, int(expiry), int(second) * GRID)


@quick
@dataclass(frozen=True, slots=True)
class Value:
    """Of one base unit's worth of option: assets per whole base (floats), by unit of volatility, year and price."""

    price: float
    delta: float
    gamma: float
    vega: float
    theta: float
    vanna: float
    volga: float
    volatility: float


@dataclass(slots=True)
class OptionMarket:
    """Volatilities now, and how to value with them."""

    spec: OptionsSpec
    smiles: tuple[Smile, ...] = ()
    level: float | None = None
    _variance: float | None = None
    """Realised, a year."""
    _last: tuple[int, float] | None = None
    _counted_s: int = 0
    _cache: dict[tuple[Terms, int, int], Value] = field(default_factory=dict)
    """Values at this time and these volatilities, by terms, tilt and price."""
    _cached_at: tuple[int, int] = (0, 0)
    _version: int = 0

    def hear(self, event: SmilesEvent | VolatilityEvent) -> None:
        """New volatilities."""
        self._version += 1
        if isinstance(event, SmilesEvent):
            self.smiles = event.smiles
        else:
            self.level = event.volatility_wad / WAD

    def observe(self, time: int, price: float) -> None:
        """A price, for the realised volatility: an exponentially weighted sum of squares over its own time."""
        if self._last is not None:
            at, before = self._last
            seconds = time - at
            if seconds <= 0:
                return
            squared = math.log(price / before) ** 2 * YEAR_S / seconds
            self._counted_s += seconds
            memory = self.spec.realised_days * 86_400
            # an average while it is young: nothing is weighted by a past that is not there
            weight = seconds / min(memory, self._counted_s)
            old = self._variance if self._variance is not None else squared
            self._variance = old + min(1.0, weight) * (squared - old)
        self._last = (time, price)

    @property
    def realised(self) -> float | None:
        """Annualised; None in the first day."""
        if self._variance is None or self._counted_s < 86_400:
            return None
        return math.sqrt(self._variance)

    @property
    def open(self) -> bool:
        """Whether options can be valued."""
        return self.at_money() is not None

    def at_money(self) -> float | None:
        """The market's level of volatility, nearest expiry first."""
        if self.smiles:
            return _on_smile(self.smiles[0], 0.0)
        if self.level is not None:
            return self.level
        premium = self.spec.assumed_premium_bps
        realised = self.realised if premium is not None else None
        if premium is None or realised is None:
            return None
        return _clamped(realised * premium / BPS)

    def volatility(self, strike: float, expiry: int, spot: float, now: int) -> float | None:
        """Implied, of one strike and expiry: linear in the smile's points and in total variance between expiries."""
        smiles = [s for s in self.smiles if s.expiry > now]
        if not smiles:
            return self.at_money() if not self.smiles else self.level
        k = math.log(strike / spot)
        after = next((i for i, s in enumerate(smiles) if s.expiry >= expiry), len(smiles))
        if after in (0, len(smiles)):
            return _on_smile(smiles[min(after, len(smiles) - 1)], k)
        early, late = smiles[after - 1], smiles[after]
        share = (expiry - early.expiry) / (late.expiry - early.expiry)
        first = _on_smile(early, k) ** 2 * (early.expiry - now)
        second = _on_smile(late, k) ** 2 * (late.expiry - now)
        return math.sqrt((first + share * (second - first)) / (expiry - now))

    def value(self, terms: Terms, price_wad: int, now: int, tilt_bps: int = 0) -> Value | None:
        """Value and Greeks; `tilt_bps` moves the volatility by so many parts of itself. None if it is not known."""
        return self.values(terms, price_wad, now, (tilt_bps,))[0]

    def values(
        self, terms: Terms, price_wad: int, now: int, tilts_bps: tuple[int, ...]
    ) -> list[Value | None]:
        """As `value`, for several tilts at once."""
        at = (now, self._version)
        if at != self._cached_at:
            self._cache.clear()
            self._cached_at = at
        cache = self._cache
        new = [tilt for tilt in tilts_bps if (terms, tilt, price_wad) not in cache]
        if new:
            found = self._values(terms, price_wad / WAD, now, new)
            if found is None:
                return [cache.get((terms, tilt, price_wad)) for tilt in tilts_bps]
            for tilt, value in zip(new, found, strict=True):
                cache[terms, tilt, price_wad] = value
        return [cache[terms, tilt, price_wad] for tilt in tilts_bps]

    def _values(
        self, terms: Terms, spot: float, now: int, tilts_bps: list[int]
    ) -> list[Value] | None:
        strikes = [terms.strike_wad / WAD]
        if terms.second_strike_wad:
            strikes.append(terms.second_strike_wad / WAD)
        implied = [self.volatility(k, terms.expiry, spot, now) for k in strikes]
        known = [v for v in implied if v is not None]
        if len(known) < len(strikes):
            return None
        vols = [_clamped(v * (BPS + tilt) / BPS) for tilt in tilts_bps for v in known]
        years = max(0, terms.expiry - now) / YEAR_S
        sign = 1.0 if terms.is_call else -1.0
        # whole vectors of one shape: what a kernel takes as it is
        count = len(vols)
        found = greeks(
            np.full(count, spot),
            np.array(strikes * len(tilts_bps)),
            np.full(count, years),
            np.array(vols),
            np.full(count, sign),
            np.zeros(count),
        )
        rows = [g.tolist() for g in found]
        if len(strikes) > 1:
            rows = [[one - other for one, other in zip(r[::2], r[1::2], strict=True)] for r in rows]
        price, delta, gamma, vega, theta, _, vanna, volga = rows
        return [
            Value(max(0.0, price[i]), delta[i], gamma[i], vega[i], theta[i], vanna[i], volga[i], v)
            for i, v in enumerate(vols[:: len(strikes)])
        ]


def _on_smile(smile: Smile, k: float) -> float:
    """Linear between the points, flat beyond them."""
    xs, ys = zip(*smile.points, strict=True)
    return float(np.interp(k, xs, ys))


def _clamped(volatility: float) -> float:
    return min(MOST_VOLATILITY, max(LEAST_VOLATILITY, volatility))


def per_base_wad(value: float) -> int:
    """A value per whole base as WAD: the one place where an option's float becomes an amount."""
    return round(value * 10**9) * 10**9
