"""Series of returns and prices as they come in: float64, finite, long enough."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from keeper.errors import QuantityError
from keeper.quant.inputs import as_floats

Floats = npt.NDArray[np.float64]
Numbers = npt.ArrayLike


def numbers(field: str, values: Numbers) -> Floats:
    """As float64, all finite; otherwise `QuantityError` naming the field and the first bad element."""
    array = as_floats(field, values)
    finite = np.isfinite(array)
    if not finite.all():
        index = int(np.argmin(np.ravel(finite)))
        problem = f"{np.ravel(array)[index]} is not a finite number"
        raise QuantityError(field, problem, "give finite numbers", index)
    return array


def series(field: str, values: Numbers, least: int) -> Floats:
    """One dimension, `least` elements or more, contiguous."""
    array = numbers(field, values)
    if array.ndim != 1:
        raise QuantityError(field, f"has {array.ndim} dimensions", "give a series")
    if array.size < least:
        raise QuantityError(field, f"has {array.size} elements", f"give {least} or more")
    return np.ascontiguousarray(array)


def prices(field: str, values: Numbers) -> Floats:
    """Positive, of any shape."""
    array = numbers(field, values)
    bad = array <= 0
    if bad.any():
        index = int(np.argmax(np.ravel(bad)))
        problem = f"{np.ravel(array)[index]:g} is not positive"
        raise QuantityError(field, problem, "give prices above 0", index)
    return array


def per_year(value: float) -> float:
    """Periods in a year, positive."""
    if not (np.isfinite(value) and value > 0):
        problem = f"{value} is not a positive number"
        raise QuantityError("periods_per_year", problem, "give 365 for daily, 8760 for hourly")
    return float(value)
