"""Compiling every kernel ahead of time, so that the keeper's first block does not wait for the compiler.

A module of kernels marks one function of its own with `compiled.warms`: it runs the module's public functions once, on
the types they compile for; `keeper.quant.rehearsal` does so for the parts of several modules. What is compiled stays
on disk (`compiled.cache_folder`) until the sources change.
"""

from __future__ import annotations

import importlib
import pkgutil
import shutil
import time
from typing import NamedTuple

import keeper.quant
from keeper.quant import compiled

_KEPT_VERSIONS = 3


class Warmed(NamedTuple):
    """The kernels of one module or part are ready."""

    name: str
    seconds: float


def warm() -> list[Warmed]:
    """Compile, or load from disk, every kernel of `keeper.quant`; drops the machine code of old versions."""
    for module in pkgutil.walk_packages(keeper.quant.__path__, "keeper.quant."):
        importlib.import_module(module.name)
    done = []
    for name, run in sorted(compiled.WARMERS.items()):
        begun = time.perf_counter()
        run()
        done.append(Warmed(name, time.perf_counter() - begun))
    _forget_old_versions()
    return done


def _forget_old_versions() -> None:
    """Keeps the newest folders; a folder that cannot be removed stays."""
    folder = compiled.cache_folder()
    if not folder.parent.is_dir():
        return
    versions = [
        other
        for other in folder.parent.iterdir()
        if other.is_dir() and other != folder and compiled.is_cache_name(other.name)
    ]
    versions.sort(key=lambda other: other.stat().st_mtime, reverse=True)
    for old in versions[_KEPT_VERSIONS - 1 :]:
        shutil.rmtree(old, ignore_errors=True)
