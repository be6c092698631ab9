"""What every estimate checks of its input before it computes anything."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keeper.errors import QuantityError

Floats = NDArray[np.float64]


def sample(field: str, values: ArrayLike, *, least: int = 1) -> Floats:
    """A one-dimensional array of at least `least` finite numbers; QuantityError names the first that is not."""
    array = _numbers(field, values)
    if array.ndim != 1:
        raise QuantityError(field, f"has {array.ndim} dimensions", "give a one-dimensional array")
    if array.size < least:
        raise QuantityError(field, f"has {array.size} values", f"give at least {least}")
    return _finite(field, array)


def positive(field: str, values: ArrayLike, shape: tuple[int, ...]) -> Floats:
    """Positive finite numbers of a shape; a scalar is spread over it."""
    array = _finite(field, np.atleast_1d(_numbers(field, values)))
    if array.shape not in {(1,), shape}:
        raise QuantityError(field, f"has shape {array.shape}", f"give shape {shape}")
    if not np.all(array > 0):
        at = int(np.argmin(array > 0))
        raise QuantityError(field, f"is {array[at]:g}", "give positive values", at)
    return np.broadcast_to(array, shape)


def level(field: str, value: float) -> float:
    """A confidence strictly between 0 and 1."""
    if not isinstance(value, int | float) or not 0.0 < value < 1.0:
        raise QuantityError(field, f"is {value!r}", "give a number strictly between 0 and 1")
    return float(value)


def events(field: str, values: ArrayLike, *, least: int = 1) -> NDArray[np.bool_]:
    """A one-dimensional array of true (a loss beyond the estimate) and false."""
    array = np.asarray(values)
    if array.ndim != 1 or array.size < least:
        raise QuantityError(field, f"has shape {array.shape}", f"give {least} or more values")
    if array.dtype != np.bool_ and not np.isin(array, (0, 1)).all():
        raise QuantityError(field, "is not all true or false", "give losses > value at risk")
    return array.astype(np.bool_)


def _numbers(field: str, values: ArrayLike) -> Floats:
    try:
        array: Any = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise QuantityError(field, "is not numeric", "give an array of numbers") from error
    return np.ascontiguousarray(array)


def _finite(field: str, array: Floats) -> Floats:
    bad = ~np.isfinite(array)
    if bad.any():
        at = int(np.argmax(bad.ravel()))
        problem = f"is {array.ravel()[at]!r}"
        raise QuantityError(field, problem, "drop or repair what is not finite", at)
    return array
