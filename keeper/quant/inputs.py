"""What the numerics accept: any numbers that broadcast together, within bounds, or a QuantityError that says which."""

from __future__ import annotations

import math
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keeper.errors import QuantityError
from keeper.quant.compiled import inlined

Floats = NDArray[np.float64]
_FLOAT64 = np.dtype(np.float64)

PRICE_LOWEST, PRICE_HIGHEST = 1e-250, 1e250
YEARS_HIGHEST = 1000.0
VOLATILITY_HIGHEST = 1000.0
GROWTH_HIGHEST = 700.0
"""Of |rate x years|: beyond it a discount factor leaves the range of doubles."""


class Bound(NamedTuple):
    """What an input must be: 0 or within [least, most], NaN allowed."""

    least: float
    most: float
    remedy: str
    zero: bool = True
    """0 passes although it is below `least`."""
    side: bool = False
    """Only -1 and +1 pass."""


PRICE = Bound(PRICE_LOWEST, PRICE_HIGHEST, "give 0 or a price between 1e-250 and 1e250")
POSITIVE_PRICE = Bound(
    PRICE_LOWEST, PRICE_HIGHEST, "give a price between 1e-250 and 1e250, not 0", zero=False
)
YEARS = Bound(0.0, YEARS_HIGHEST, "give years, not days or seconds, between 0 and 1000")
VOLATILITY = Bound(
    0.0, VOLATILITY_HIGHEST, "give an annualised fraction (0.65 for 65 %) between 0 and 1000"
)
RATE = Bound(-math.inf, math.inf, "give a finite annual fraction (0.05 for 5 %)")
SIGN = Bound(-1.0, 1.0, "give +1 for a call, -1 for a put", side=True)
AMOUNT = Bound(-math.inf, math.inf, "give a finite number")


def as_floats(field: str, value: ArrayLike) -> Floats:
    """The input as float64; int, float32 and lists are converted, what a mask hides is NaN, anything else refused."""
    if isinstance(value, np.ma.MaskedArray) and value.dtype.kind in "iuf":
        value = np.where(np.ma.getmaskarray(value), np.nan, value.data)  # type: ignore[no-untyped-call]
    if isinstance(value, np.ndarray) and value.dtype == np.float64:
        return value
    try:
        raw = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise QuantityError(
            field, f"is not an array of numbers ({error})", AMOUNT.remedy
        ) from error
    if raw.size and raw.dtype.kind not in "iuf":
        raise QuantityError(field, f"has type {raw.dtype}", "give integers or floats")
    return raw.astype(np.float64)


def flat_inputs(
    fields: tuple[str, ...], values: tuple[ArrayLike, ...]
) -> tuple[tuple[int, ...], list[Floats]]:
    """The broadcast shape, and every input as a contiguous writeable vector of that many elements."""
    first = values[0]
    if type(first) is np.ndarray and first.ndim == 1:
        shape = first.shape
        for value in values:
            if (
                type(value) is not np.ndarray
                or value.dtype is not _FLOAT64
                or value.shape != shape
                or not value.flags.carray
            ):
                break
        else:
            return shape, list(values)  # type: ignore[arg-type]
    return _broadcast(
        fields, [as_floats(field, value) for field, value in zip(fields, values, strict=True)]
    )


def _broadcast(
    fields: tuple[str, ...], arrays: list[Floats]
) -> tuple[tuple[int, ...], list[Floats]]:
    try:
        shape = np.broadcast_shapes(*(array.shape for array in arrays))
    except ValueError as error:
        shapes = ", ".join(f"{f} {a.shape}" for f, a in zip(fields, arrays, strict=True) if a.ndim)
        raise QuantityError(
            "shapes", f"do not broadcast together: {shapes}", "give equal lengths or single numbers"
        ) from error
    return shape, [_spread(array, shape) for array in arrays]


def _spread(array: Floats, shape: tuple[int, ...]) -> Floats:
    """A vector of its own; kernels are compiled for writeable contiguous ones only, though they write to no input."""
    if array.shape == shape and array.flags.carray:
        return array.reshape(-1)
    spread = np.empty(shape)
    spread[...] = array
    return spread.reshape(-1)


def refuse(fields: tuple[str, ...], arrays: list[Floats], bounds: tuple[Bound, ...]) -> None:
    """Raise for the first element out of bounds, field by field; returns if there is none."""
    for field, array, bound in zip(fields, arrays, bounds, strict=True):
        with np.errstate(invalid="ignore"):
            outside = np.isinf(array) | (array > bound.most)
            outside |= (array < bound.least) & ((array != 0.0) | (not bound.zero))
            if bound.side:
                outside = (np.abs(array) < 1.0) | (np.abs(array) > 1.0)
        if outside.any():
            index = int(np.argmax(outside))
            where = index if array.size > 1 else None
            raise QuantityError(field, f"is {array[index]:.6g}", bound.remedy, where)


def refuse_growth(rate: Floats, years: Floats) -> NoReturn:
    """Raise for the first element whose rate x years leaves the range of doubles."""
    growth = np.abs(rate * years)
    index = int(np.argmax(growth > GROWTH_HIGHEST))
    raise QuantityError(
        "rate",
        f"times years is {growth[index]:.6g}",
        "give an annual fraction (0.05 for 5 %) and years; their product stays within 700",
        index if growth.size > 1 else None,
    )


@inlined
def bad_price(price: float) -> bool:
    """Negative, infinite, or beyond the range in which nothing overflows."""
    return (price < 0.0) | (price > PRICE_HIGHEST) | ((price > 0.0) & (price < PRICE_LOWEST))


@inlined
def bad_option(years: float, volatility: float, sign: float, growth: float) -> bool:
    """Any of these out of its bounds; growth = rate x years."""
    time = (years < 0.0) | (years > YEARS_HIGHEST)
    deviation = (volatility < 0.0) | (volatility > VOLATILITY_HIGHEST)
    side = (sign > -1.0) & (sign < 1.0) | (sign > 1.0) | (sign < -1.0)
    return time | deviation | side | (growth > GROWTH_HIGHEST) | (growth < -GROWTH_HIGHEST)
