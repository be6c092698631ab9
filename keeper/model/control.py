"""What people, or another keeper that leads, may forbid this keeper at any time."""

from typing import Protocol

from keeper.model.decision import Lane, Refusal


class Control(Protocol):
    """Asked before every decision is taken for passed."""

    @property
    def fence(self) -> int:
        """Fencing token of this keeper's leadership, journalled with each intent; 0 where nobody contends."""
        ...

    def refusals(self, lane: Lane) -> tuple[Refusal, ...]:
        """Why nothing may be sent on a lane now; empty if it may."""
        ...


class Free:
    """Nobody forbids anything."""

    fence = 0

    def refusals(self, lane: Lane) -> tuple[Refusal, ...]:
        """None."""
        del lane
        return ()


FREE = Free()
