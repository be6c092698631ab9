"""Strategies of another package, good and bad."""

import os
import time
from dataclasses import dataclass, replace
from typing import Any

from keeper.model.decision import Lane, PerpetualTarget, Target
from keeper.model.market import MarketState
from keeper.model.risk import RiskReport
from keeper.model.units import Raw, Wad

HOLD = Target(Lane.ROUTINE, None, None, "nothing to do")


@dataclass(frozen=True, slots=True)
class Good:
    """Wants a delta."""

    delta: float = 1.0

    def __post_init__(self) -> None:
        if not self.delta >= 0:
            raise ValueError(f"delta must not be negative: {self.delta}")

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        print("chatter " * 100)
        wanted = Raw(int(self.delta * 10**18))
        return Target(Lane.ROUTINE, None, wanted, f"block {market.readings.block.number}")


@dataclass(frozen=True, slots=True)
class Bad:
    """Does what its parameter says."""

    how: str

    def __call__(self, market: MarketState, risk: RiskReport) -> Any:
        return getattr(self, f"_{self.how}")()

    def _raises(self) -> Target:
        raise RuntimeError("broken\ninside")

    def _exits(self) -> Target:
        raise SystemExit(0)

    def _dies(self) -> Target:
        os._exit(3)

    def _hangs(self) -> Target:
        while True:
            time.sleep(0.01)

    def _nonsense(self) -> int:
        return 7

    def _greedy(self) -> Target:
        return replace(HOLD, reason=str(len(bytearray(2**40))))

    def _float(self) -> Target:
        return replace(HOLD, net_delta=0.5)  # type: ignore[arg-type]

    def _huge(self) -> Target:
        return replace(HOLD, net_delta=Raw(2**220))

    def _sick(self) -> Target:
        return replace(HOLD, health_wad=Wad(-1))

    def _flood(self) -> Target:
        return replace(HOLD, perpetuals=(PerpetualTarget("p", 1),) * 1_000)

    def _novel(self) -> Target:
        return replace(HOLD, reason="x" * 10_000)

    def _bell(self) -> Target:
        return replace(HOLD, reason="\x07")

    def _spies(self) -> Target:
        secrets = [name for name in os.environ if "SECRET" in name]
        return replace(HOLD, reason=f"saw {secrets}")
