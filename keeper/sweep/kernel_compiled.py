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


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """No sum is reordered and nothing contracted: a result depends on the input alone."""
    kept = _config.CACHE_DIR
    _config.CACHE_DIR = str(_folder())
    try:
        made = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # nowhere to write: compiled anew in each process
        made = numba.njit(nogil=True, error_model="numpy")(function)
    finally:
        _config.CACHE_DIR = kept
    return cast(Callable[P, R], made)
