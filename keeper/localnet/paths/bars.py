"""What a price file holds once it is checked: bars with a range, or prices at moments."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from keeper.localnet.paths.path import Floats, Ints


class BarKind(StrEnum):
    """What one row means."""

    OHLC = "ohlc"  # a bar that opens at its time and lasts until the next one
    CLOSE = "close"  # the price at that moment
    ROUNDS = "rounds"  # an oracle's answer from that moment on


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """A checked price file. Times are unix seconds, strictly increasing; prices USD per ETH, positive.

    For CLOSE and ROUNDS open, high, low and close are the same numbers.
    """

    source: str
    kind: BarKind
    times: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.times)

    @property
    def step_s(self) -> int:
        """Length of a bar: the commonest distance between two rows, in seconds."""
        distances, counts = np.unique(np.diff(self.times), return_counts=True)
        return int(distances[int(np.argmax(counts))])

    @property
    def ends(self) -> Ints:
        """Where each bar ends, unix seconds; a bar before a hole in the file ends after one step."""
        if self.kind is not BarKind.OHLC:
            return self.times
        following = np.append(self.times[1:], self.times[-1] + self.step_s)
        return np.minimum(following, self.times + self.step_s)

    @property
    def duration_s(self) -> int:
        """Seconds covered."""
        return int(self.ends[-1] - self.times[0])
