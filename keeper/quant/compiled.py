"""How the kernels are compiled: once per machine, kept on disk, exact arithmetic.

`kernel` is for functions of scalars and for serial loops, `parallel_kernel` for loops over many elements with
`numba.prange`. Neither allows the compiler to reorder floating-point sums: a result depends on the input alone, never
on the number of threads. (A kernel may opt into single relaxations, with the reason beside it.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile on first use, keep the machine code on disk, release the lock while running."""
    return cast(Callable[P, R], numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """A small function of scalars that is written into its callers, so that their loops vectorise."""
    compiled = numba.njit(cache=True, nogil=True, error_model="numpy", inline="always")(function)
    return cast(Callable[P, R], compiled)


def parallel_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """As `kernel`, with `numba.prange` spread over the threads."""
    compiled = numba.njit(cache=True, nogil=True, error_model="numpy", parallel=True)(function)
    return cast(Callable[P, R], compiled)
