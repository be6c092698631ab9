"""What comes in as numbers: anything array-like of integers or floats, made float64, checked once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from keeper.errors import QuantityError
from keeper.quant.inputs import as_floats

Floats = npt.NDArray[np.float64]
Numbers = npt.ArrayLike


def numbers(field: str, values: Numbers) -> Floats:
    """As float64, all finite; otherwise `QuantityError`."""
    array = as_floats(field, values)
    finite = np.isfinite(array)
    if not finite.all():
        index = int(np.argmin(np.ravel(finite)))
        problem = f"{np.ravel(array)[index]} is not a finite number"
        raise QuantityError(field, problem, "give finite numbers", index)
    return array


def not_negative(field: str, values: Floats) -> None:
    """`QuantityError` naming the first negative element."""
    bad = values < 0
    if bad.any():
        index = int(np.argmax(bad))
        problem = f"{np.ravel(values)[index]:g} is negative"
        raise QuantityError(field, problem, "give values of 0 or more", index)
