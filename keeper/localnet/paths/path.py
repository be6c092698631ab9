"""The path itself: one sample of the outside world per simulated block."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class PricePath:
    """The outside world at every simulated block; arrays have one entry per block and are read-only."""

    name: str
    seed: int
    start_time: int
    """Unix seconds of the first block."""
    block_seconds: int
    times: Ints
    """Unix seconds, strictly increasing."""
    market_price: Floats
    """USD per ETH."""
    oracle_online: Bools
    """False while the oracle transmits nothing."""
    base_fee_wei: Ints
    description: str
    notes: tuple[str, ...] = ()
    """What was tolerated or skipped in the source."""

    def __post_init__(self) -> None:
        blocks = len(self.times)
        arrays = (self.times, self.market_price, self.oracle_online, self.base_fee_wei)
        if blocks < 2 or any(a.shape != (blocks,) for a in arrays):
            raise ValueError(
                f"a path needs two blocks or more and equal lengths, got {[a.shape for a in arrays]}"
            )
        if not (np.diff(self.times) > 0).all():
            raise ValueError("times of a path must increase strictly")
        if not (np.isfinite(self.market_price).all() and (self.market_price > 0).all()):
            raise ValueError("prices of a path must be finite and positive")
        if not (self.base_fee_wei > 0).all():
            raise ValueError("base fees of a path must be positive")
        for array in arrays:
            array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.times)

    @property
    def duration_s(self) -> int:
        """Seconds from the first to the last block."""
        return int(self.times[-1] - self.times[0])

    @property
    def max_fall(self) -> float:
        """Greatest fall from an earlier high, as a fraction."""
        highs = np.maximum.accumulate(self.market_price)
        return float((1.0 - self.market_price / highs).max())


def describe(path: PricePath) -> str:
    """What the path does, in a few plain lines for a person."""
    price, fee = path.market_price, path.base_fee_wei / 1e9
    offline = int((~path.oracle_online).sum())
    start = datetime.fromtimestamp(path.start_time, UTC)
    lines = [
        f"{path.name} (seed {path.seed}): {path.description}",
        f"  {len(path)} blocks of {path.block_seconds} s, {_span(path.duration_s)} from {start:%Y-%m-%d %H:%M:%S} UTC",
        f"  price {price[0]:,.2f} -> {price[-1]:,.2f} USD, lowest {price.min():,.2f}, highest {price.max():,.2f}, "
        f"greatest fall {path.max_fall:.1%}",
        f"  base fee {fee.min():.0f} to {fee.max():.0f} gwei",
    ]
    if offline:
        lines.append(
            f"  oracle silent for {offline} blocks ({_span(offline * path.block_seconds)})"
        )
    lines.extend(f"  note: {note}" for note in path.notes)
    return "\n".join(lines)


def _span(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    parts = ((hours, "h"), (minutes, "min"), (left, "s"))
    return " ".join(f"{value} {unit}" for value, unit in parts if value) or "0 s"
