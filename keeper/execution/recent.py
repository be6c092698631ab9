"""How soon protection is in, as recent blocks have it: what the health to keep must leave time for. Pure."""

from collections.abc import Sequence
from typing import Any

from keeper.execution.fee_history import history_heard
from keeper.execution.fees import GasPolicy
from keeper.execution.inclusion import InclusionModel, UrgencyPolicy
from keeper.model.decision import Lane

LEAST_BLOCKS = 2.0
"""What is reckoned with where nothing is known, and never less: a false history must not make protection late."""
MOST_BLOCKS = 10.0
"""Nor may it make the keeper flee: where one endpoint is asked, no other says whether it is so."""


class RecentInclusion:
    """The newest fee history that was understood stands until there is another."""

    def __init__(self, gas: GasPolicy | None = None, urgent: UrgencyPolicy | None = None) -> None:
        self._gas = gas or GasPolicy()
        self._urgent = urgent or UrgencyPolicy()
        self._blocks: float | None = None

    @property
    def blocks(self) -> float | None:
        """Blocks within which protection is in as surely as configured, 2 to 10; None before anything is known."""
        return self._blocks

    def heard(self, said: Sequence[Any], base_fee_wei: int) -> None:
        """What endpoints answered to `history_call`; nonsense and refusals change nothing."""
        history = history_heard(said)
        if history is None:
            return
        model = InclusionModel(history.required_tips_wei)
        # the greatest tip that any protection may pay: its inclusion is as soon as money makes it
        tip = self._gas.greatest_tip(Lane.PROTECTIVE, base_fee_wei)
        found = model.blocks_for(tip, self._urgent.probability, most=int(MOST_BLOCKS))
        self._blocks = max(LEAST_BLOCKS, float(found))
