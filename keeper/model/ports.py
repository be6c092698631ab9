"""The small protocols behind which the world hides; tests pass ten-line fakes."""

from collections.abc import Callable
from typing import Protocol

from keeper.model.block import BlockStamp
from keeper.model.decision import Intent, Plan, Target, Verdict
from keeper.model.market import MarketState, Readings
from keeper.model.outcome import AttemptResult, TickOutcome
from keeper.model.risk import RiskReport

Strategy = Callable[[MarketState, RiskReport], Target]


class ChainReader(Protocol):
    """Pinned reading of the chain."""

    def head(self) -> BlockStamp:
        """Newest block."""
        ...

    def read(self, block: BlockStamp) -> Readings:
        """The vault through the lens, pinned to `block`."""
        ...


class Executor(Protocol):
    """Turns an intent into at most one effect."""

    def submit(self, intent: Intent) -> str:
        """Simulate, sign, journal, send; returns the transaction hash. Raises SimulationReverted, SendFailed."""
        ...

    def follow(self, block: BlockStamp) -> tuple[AttemptResult, ...]:
        """Look after what is in flight: settle, rebroadcast or bump. Returns what finished since the last call."""
        ...

    def in_flight(self) -> int:
        """How many intents are not settled yet."""
        ...


class Journal(Protocol):
    """Durable before it returns."""

    def record_decision(
        self, market: MarketState, risk: RiskReport, target: Target, plan: Plan, verdict: Verdict, intent: Intent | None
    ) -> None:
        """The decision, before anything is signed."""
        ...

    def record_outcome(self, outcome: TickOutcome) -> None:
        """How the tick ended."""
        ...
