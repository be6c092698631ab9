"""The small protocols behind which the world hides; tests pass ten-line fakes."""

from collections.abc import Callable
from typing import Protocol

from keeper.model.block import BlockStamp
from keeper.model.decision import Intent, Lane, Plan, Target, Verdict
from keeper.model.exposure import Exposure
from keeper.model.market import MarketState, Readings
from keeper.model.outcome import AttemptResult, TickOutcome
from keeper.model.outlook import Outlook
from keeper.model.risk import RiskReport
from keeper.model.risk_report import ModuleResult

Strategy = Callable[[MarketState, RiskReport], Target]


class ChainReader(Protocol):
    """Pinned reading of the chain."""

    def head(self) -> BlockStamp:
        """Newest block."""
        ...

    def read(self, block: BlockStamp) -> Readings:
        """The vault through the lens, pinned to `block`."""
        ...


class Surroundings(Protocol):
    """What is known beyond the vault's readings."""

    def look(self, readings: Readings) -> tuple[Outlook, tuple[Exposure, ...]]:
        """Forecasts and other venues' offers at the block of the readings, and what is held there; never raises for
        what it cannot learn: that is left out."""
        ...


class Executor(Protocol):
    """Turns an intent into at most one effect."""

    def rehearse(self, intent: Intent) -> str:
        """Simulate and price without signing; says what would be sent. Raises as `submit` does."""
        ...

    def submit(self, intent: Intent) -> str:
        """Simulate, sign, journal, send; returns the transaction hash.

        Raises SimulationReverted or another SendError.
        """
        ...

    def follow(self, block: BlockStamp) -> tuple[AttemptResult, ...]:
        """Look after what is in flight: settle, rebroadcast or bump.

        Returns what finished since the last call.
        """
        ...

    def routine_waits_until(self) -> int:
        """Unix seconds from which the mandate takes routine rebalances, as it last said; 0 if it said nothing."""
        ...

    def inclusion_blocks(self) -> float | None:
        """Blocks within which protection is in, as recent blocks have it; None where that is not known."""
        ...

    def in_flight(self, lane: Lane | None = None) -> int:
        """How many intents, of a lane or of all, are signed and neither mined nor given up."""
        ...

    def unmined(self, lane: Lane) -> int:
        """How many intents of a lane are in flight with a nonce that the block last followed does not show used."""
        ...

    def account_of(self, lane: Lane) -> str:
        """Address of the account that carries a lane."""
        ...

    def balance_wei(self, lane: Lane) -> int:
        """What that account held when it was last asked; 0 if nobody knows."""
        ...


class RiskModules(Protocol):
    """Risk modules of third parties."""

    def ask(self, market: MarketState) -> tuple[ModuleResult, ...]:
        """What each says of this state, within the time they were given; never raises for what they do."""
        ...

    def close(self) -> None:
        """End what was started for them."""
        ...


class Journal(Protocol):
    """Durable before it returns."""

    def record_decision(  # noqa: PLR0917 - one argument per stage of the tick, in its order
        self,
        market: MarketState,
        risk: RiskReport,
        target: Target,
        plan: Plan,
        verdict: Verdict,
        intent: Intent | None,
        *,
        account: str = "",
        fence: int = 0,
    ) -> None:
        """The decision, before anything is signed.

        account: that will carry the intent. fence: token of the leadership it was decided under.
        """
        ...

    def record_outcome(self, outcome: TickOutcome) -> None:
        """How the tick ended."""
        ...

    def intent_count(self) -> int:
        """How many intents were ever decided: the counter of the next one."""
        ...

    def last_failure(self) -> int | None:
        """Block number of the newest tick that failed to simulate or send."""
        ...

    def mined_reverts(self, chain_id: int) -> tuple[int, ...]:
        """Block numbers of mined reverts since the last mined success, newest first."""
        ...

    def reverted_gas_wei(self, chain_id: int, since_block: int) -> int:
        """What mined reverts cost from `since_block` on, wei."""
        ...
