"""How soon protection is in, as recent blocks have it: what the health to keep must leave time for."""

import structlog

from keeper.errors import EndpointError, RpcError
from keeper.execution.fee_history import history_call, history_of
from keeper.execution.fees import GasPolicy
from keeper.execution.inclusion import InclusionModel, UrgencyPolicy
from keeper.execution.ports import Rpc
from keeper.model.block import BlockStamp
from keeper.model.decision import Lane

LEAST_BLOCKS = 2.0
"""What is reckoned with where nothing is known, and never less: a false history must not make protection late."""
MOST_BLOCKS = 10.0
"""Nor may it make the keeper flee: one endpoint says it, and no other is asked whether it is so."""
EVERY_BLOCKS = 25
_log = structlog.get_logger(__name__)


class RecentInclusion:
    """One request every 25 blocks; the last answer stands while there is no other."""

    def __init__(self, rpc: Rpc, gas: GasPolicy, urgent: UrgencyPolicy) -> None:
        self._rpc = rpc
        self._gas = gas
        self._urgent = urgent
        self._seen_at: int | None = None
        self._blocks: float | None = None

    @property
    def blocks(self) -> float | None:
        """Blocks within which protection is in as surely as configured, 2 to 10; None before anything is known."""
        return self._blocks

    def look(self, block: BlockStamp) -> None:
        """Ask again, if it is time to."""
        if self._seen_at is not None and abs(block.number - self._seen_at) < EVERY_BLOCKS:
            return
        self._seen_at = block.number
        try:
            history = history_of(self._rpc.call(*history_call()))
        except (EndpointError, RpcError) as error:
            _log.debug("recent inclusion is not known", problem=str(error))
            return
        if history is None:
            return
        model = InclusionModel(history.required_tips_wei)
        # the greatest tip that any protection may pay: its inclusion is as soon as money makes it
        tip = self._gas.greatest_tip(Lane.PROTECTIVE, block.base_fee_wei)
        found = model.blocks_for(tip, self._urgent.probability, most=int(MOST_BLOCKS))
        self._blocks = max(LEAST_BLOCKS, float(found))
