"""How the kernels are compiled: once per machine, kept on disk, exact arithmetic.

`kernel` is for functions of scalars and for serial loops, `parallel_kernel` for loops over many elements with
`numba.prange`. Neither allows the compiler to reorder floating-point sums: a result depends on the input alone, never
on the number of threads. (A kernel may opt into single relaxations, with the reason beside it.)

The compiler may not contract `a * b + c` either; `fma` asks for it by name, so that a loop's vector body, its scalar
remainder and a lone scalar call all round alike.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba
from numba.core import types
from numba.extending import intrinsic

_config: Any = numba.config
_DIGEST = 16
P = ParamSpec("P")
R = TypeVar("R")


@functools.cache
def cache_folder() -> Path:
    """Where the machine code of this version of the numerics is kept: one folder for each state of the sources.

    numba itself looks only at the file a kernel stands in; a kernel that calls into another file would keep that file's
    old machine code after an upgrade. Under NUMBA_CACHE_DIR, else XDG_CACHE_HOME, else ~/.cache.
    """
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    given = os.environ.get("NUMBA_CACHE_DIR")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    base = Path(given) if given else home / "gimbal" / "kernels"
    return base / digest.hexdigest()[:_DIGEST]


def _compile(function: Callable[P, R], **options: Any) -> Callable[P, R]:
    kept = _config.CACHE_DIR
    _config.CACHE_DIR = str(cache_folder())
    try:
        return cast(
            Callable[P, R],
            numba.njit(cache=True, nogil=True, error_model="numpy", **options)(function),
        )
    except RuntimeError:  # nowhere to write: compiled anew in each process
        return cast(
            Callable[P, R], numba.njit(nogil=True, error_model="numpy", **options)(function)
        )
    finally:
        _config.CACHE_DIR = kept


WARMERS: dict[str, Callable[[], None]] = {}
"""What `keeper quant warm` runs, by module or part."""


def warms(function: Callable[[], None]) -> Callable[[], None]:
    """Mark the one function of a module that runs all of its kernels once, serial and parallel, on real types."""
    WARMERS[function.__module__] = function
    return function


def warms_part(name: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """As `warms`, for a part whose kernels stand in several modules, under the part's name."""

    def register(function: Callable[[], None]) -> Callable[[], None]:
        WARMERS[name] = function
        return function

    return register


def is_cache_name(name: str) -> bool:
    """Whether a folder bears the name of some version of the numerics."""
    return len(name) == _DIGEST and all(letter in "0123456789abcdef" for letter in name)


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile on first use, keep the machine code on disk, release the lock while running."""
    return _compile(function)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """A small function of scalars that is written into its callers, so that their loops vectorise."""
    return _compile(function, inline="always")


def parallel_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """As `kernel`, with `numba.prange` spread over the threads."""
    return _compile(function, parallel=True)


@intrinsic
def _fma(typing_context: Any, a: Any, b: Any, c: Any) -> Any:  # noqa: ARG001 - numba's protocol
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    if not all(isinstance(operand, types.Float) for operand in (a, b, c)):
        return None
    return types.float64(types.float64, types.float64, types.float64), generate


@intrinsic
def _bits(typing_context: Any, x: Any) -> Any:  # noqa: ARG001 - numba's protocol
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], _context.get_value_type(types.int64))

    return types.int64(types.float64), generate


@intrinsic
def _from_bits(typing_context: Any, x: Any) -> Any:  # noqa: ARG001 - numba's protocol
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], _context.get_value_type(types.float64))

    return types.float64(types.int64), generate


def _scopes(builder: Any, own: int) -> tuple[Any, Any]:
    """LLVM's words for "this access touches row `own` and none of the others"; -1 stands for all inputs."""
    module = builder.module
    domain = module.add_metadata(["gimbal rows"])
    scopes = {row: module.add_metadata([f"gimbal row {row}", domain]) for row in range(-1, _ROWS)}
    others = [scope for row, scope in scopes.items() if row != own]
    return module.add_metadata([scopes[own]]), module.add_metadata(others)


def _element(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    return builder.gep(context.make_array(kind)(context, builder, array).data, [index])


@intrinsic
def _get(typing_context: Any, array: Any, index: Any) -> Any:  # noqa: ARG001 - numba's protocol
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = builder.load(_element(context, builder, signature.args[0], *arguments))
        own, others = _scopes(builder, -1)
        value.set_metadata("alias.scope", own)
        value.set_metadata("noalias", others)
        return value

    return types.float64(array, types.intp), generate


def _putter(row: int) -> Callable[[Any, int, float], None]:
    @intrinsic
    def put(typing_context: Any, array: Any, index: Any, value: Any) -> Any:  # noqa: ARG001
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            place = _element(context, builder, signature.args[0], *arguments[:2])
            stored = builder.store(arguments[2], place)
            own, others = _scopes(builder, row)
            stored.set_metadata("alias.scope", own)
            stored.set_metadata("noalias", others)
            return context.get_dummy_value()

        return types.void(array, types.intp, types.float64), generate

    return cast(Callable[[Any, int, float], None], put)


_ROWS = 8
get = cast(Callable[[Any, int], float], _get)
"""array[index] of a contiguous float64 input that no `put` of the same loop writes to; unchecked, in kernels only."""

put0, put1, put2, put3, put4, put5, put6, put7 = (_putter(row) for row in range(_ROWS))
"""putN(array, index, value): array[index] = value where rows of different N never overlap, nor any input: told so, the
compiler makes vector code of a loop over many arrays, for which it will not check each pair itself."""

fma = cast(Callable[[float, float, float], float], _fma)
"""a * b + c with one rounding; only inside kernels."""

bits = cast(Callable[[float], int], _bits)
"""The 64 bits of a double as a signed integer; only inside kernels."""

from_bits = cast(Callable[[int], float], _from_bits)
"""The double with these 64 bits; only inside kernels."""
