"""How this package's kernels are compiled: as the numerics are, kept for each state of the sources here and there."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba

from keeper.quant.compiled import cache_folder

_config: Any = numba.config
P = ParamSpec("P")
R = TypeVar("R")


@functools.cache
def _folder() -> Path:
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("kernel_*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return cache_folder() / f"sweep-{digest.hexdigest()[:16]}"


def compiled(function: Callable[P, R], *, into_callers: bool = False) -> Callable[P, R]:
    """No sum is reordered and nothing contracted: a result depends on the input alone."""
    # A kernel owns no array: the caller's outlive it. So references are not counted (atomic steps at every call, three
    # quarters of a bar's time), and numba refuses to compile what would allocate an array.
    options: dict[str, Any] = {
        "nogil": True,
        "error_model": "numpy",
        "forceinline": into_callers,
        "_nrt": False,
    }
    kept = _config.CACHE_DIR
    _config.CACHE_DIR = str(_folder())
    try:
        made = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # nowhere to write: compiled anew in each process
        made = numba.njit(**options)(function)
    finally:
        _config.CACHE_DIR = kept
    return cast(Callable[P, R], made)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """As `compiled`, written into its callers by LLVM: a pair then stays in registers. Its roundings are the same."""
    return compiled(function, into_callers=True)
