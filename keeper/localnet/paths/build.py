"""The front door: a path by scenario name, or by file and window."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from keeper.errors import SettingError
from keeper.localnet.paths.bounds import with_overrides
from keeper.localnet.paths.files import load_price_file
from keeper.localnet.paths.gas import GasShape, base_fees
from keeper.localnet.paths.history import choose_block_seconds, prices_at_blocks
from keeper.localnet.paths.path import PricePath
from keeper.localnet.paths.scenarios import MAX_BLOCKS, generate
from keeper.localnet.paths.shapes import SCENARIOS

DEFAULT_SEED = 1
DEFAULT_MAX_BLOCKS = 600
BETWEEN_BARS = ("bridge", "linear")


@dataclass(frozen=True, slots=True)
class ScenarioSpec:
    """A generated path: name, seed, and shape parameters other than the defaults."""

    name: str
    seed: int = DEFAULT_SEED
    overrides: Mapping[str, float] = field(default_factory=dict)
    gas: GasShape = field(default_factory=GasShape)


@dataclass(frozen=True, slots=True)
class FileSpec:
    """A path from a price file: window, seconds between blocks (None: so that there are `max_blocks` at most)."""

    path: Path
    start: str | int | None = None
    end: str | int | None = None
    seed: int = DEFAULT_SEED
    block_seconds: int | None = None
    max_blocks: int = DEFAULT_MAX_BLOCKS
    between: str = "bridge"
    gas: GasShape = field(default_factory=GasShape)


def build_path(spec: ScenarioSpec | FileSpec) -> PricePath:
    """The path a specification describes; equal specifications give the equal path."""
    if not 0 <= spec.seed < 2**64:
        raise SettingError(
            "seed", f"{spec.seed} is out of bounds", "give a whole number from 0 to 2^64 - 1"
        )
    return _from_scenario(spec) if isinstance(spec, ScenarioSpec) else _from_file(spec)


def _from_scenario(spec: ScenarioSpec) -> PricePath:
    shape = SCENARIOS.get(spec.name)
    if shape is None:
        raise SettingError(
            "scenario", f"{spec.name!r} is unknown", f"choose among {', '.join(SCENARIOS)}"
        )
    return generate(spec.name, with_overrides(shape(), spec.overrides), spec.seed, spec.gas)


def _from_file(spec: FileSpec) -> PricePath:
    if spec.between not in BETWEEN_BARS:
        raise SettingError(
            "between", f"{spec.between!r} is unknown", f"choose among {', '.join(BETWEEN_BARS)}"
        )
    if not 2 <= spec.max_blocks <= MAX_BLOCKS:
        raise SettingError(
            "max_blocks", f"{spec.max_blocks} is out of bounds", f"give 2 to {MAX_BLOCKS}"
        )
    if spec.block_seconds is not None and not 1 <= spec.block_seconds <= 3_600:
        raise SettingError(
            "block_seconds", f"{spec.block_seconds} is out of bounds", "give 1 to 3600 seconds"
        )
    bars = load_price_file(spec.path, start=spec.start, end=spec.end)
    block_seconds = spec.block_seconds or choose_block_seconds(bars, spec.max_blocks)
    if bars.duration_s // block_seconds > MAX_BLOCKS:
        raise SettingError(
            "block_seconds",
            f"{bars.duration_s} s would be over {MAX_BLOCKS} blocks",
            "choose longer blocks",
        )
    times, prices = prices_at_blocks(
        bars, block_seconds, spec.seed, linear=spec.between == "linear"
    )
    return PricePath(
        name=Path(bars.source).name.removesuffix(".gz").removesuffix(".csv"),
        seed=spec.seed,
        start_time=int(times[0]),
        block_seconds=block_seconds,
        times=times,
        market_price=prices,
        oracle_online=np.ones(len(times), dtype=np.bool_),
        base_fee_wei=base_fees(prices, block_seconds, spec.gas),
        description=f"{len(bars)} rows ({bars.kind}) of {bars.source}, {spec.between} in between",
        notes=bars.notes,
    )
