"""The real `keeper run`, which ends itself by SIGKILL at a given write of the journal.

The strategy is replaced by one that asks for a little more health at every block, so that there is always something in
flight to be killed in. CHAOS_EDGE: the number of the edge to die at (two to each write, one before and one after
it; the broadcast and the signature have two as well); without it, it runs. CHAOS_HOLD: ask for nothing.
"""

import os
import signal
import sys
from dataclasses import dataclass
from typing import Any

from keeper.app import build
from keeper.chain.pool import EndpointPool
from keeper.cli.main import invoke
from keeper.execution.signers.local import LocalSigner
from keeper.journal.store import SqlJournal
from keeper.model.decision import Lane, Target
from keeper.model.market import MarketState
from keeper.model.risk import RiskReport
from keeper.model.units import Wad

WRITES = (
    (SqlJournal, "record_decision"),
    (SqlJournal, "move_intent"),
    (SqlJournal, "record_attempt"),
    (SqlJournal, "mark"),
    (SqlJournal, "settle"),
    (SqlJournal, "record_outcome"),
    (LocalSigner, "sign"),
    (EndpointPool, "broadcast"),
)
EDGES = 2 * len(WRITES)
_STEP_BPS = 5


@dataclass(frozen=True, slots=True)
class ALittleMore:
    """More health at every block, until told to hold."""

    hold: bool

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """As a strategy."""
        del market
        if self.hold:
            return Target(Lane.PROTECTIVE, None, None, "told to hold")
        wanted = Wad(risk.health_wad * (10_000 + _STEP_BPS) // 10_000)
        return Target(Lane.PROTECTIVE, wanted, None, "a little more health")


def main() -> int:
    """Run until stopped, or die at the edge."""
    hold = "CHAOS_HOLD" in os.environ
    build.load_strategy = lambda *_args, **_more: ALittleMore(hold)  # type: ignore[attr-defined]
    edge = os.environ.get("CHAOS_EDGE")
    if edge is not None:
        number, times = divmod(int(edge), EDGES)[1], divmod(int(edge), EDGES)[0] + 1
        owner, name = WRITES[number // 2]
        setattr(owner, name, deadly(getattr(owner, name), after=bool(number % 2), times=times))
    return invoke(["run", "--config", sys.argv[1]])


def deadly(write: Any, *, after: bool, times: int) -> Any:
    """The write, and the end of the process before or after it is done for the given time."""
    left = [times]

    def last(*args: Any, **kwargs: Any) -> Any:
        left[0] -= 1
        if left[0] == 0 and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = write(*args, **kwargs)
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return last


if __name__ == "__main__":
    sys.exit(main())
