"""Time comes from a clock passed in."""

import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Unix seconds."""


def system_clock() -> float:
    """Wall time in unix seconds."""
    return time.time()
