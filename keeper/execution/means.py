"""What keepers have to spend and what the market asks for: the balances of their accounts, and recent blocks' fees."""

from collections.abc import Mapping
from typing import Any

import structlog

from keeper.errors import ReadError, RpcError
from keeper.execution.executor import TransactionExecutor
from keeper.execution.fee_history import history_call
from keeper.execution.funds import Burned, Funds, FundsPolicy, funds_of
from keeper.execution.ports import Rpc
from keeper.execution.quantities import quantity
from keeper.execution.recent import RecentInclusion
from keeper.model.block import BlockStamp
from keeper.model.decision import Lane

_LOOK_EVERY_BLOCKS = 25
_log = structlog.get_logger(__name__)


class Means:
    """Of every account that has joined: looked at together, one batch every so many blocks, however many vaults ask."""

    def __init__(
        self,
        rpc: Rpc,
        *,
        funds: FundsPolicy | None = None,
        inclusion: RecentInclusion | None = None,
    ) -> None:
        self._rpc = rpc
        self._inclusion = inclusion or RecentInclusion()
        self._policy = funds or FundsPolicy()
        self._lanes: dict[str, tuple[Lane, ...]] = {}
        self._funds: tuple[Funds, ...] = ()
        self._counts: TransactionExecutor | None = None
        self._burned = Burned(0, 0)
        self._looked_at: int | None = None

    def join(self, by_lane: Mapping[Lane, TransactionExecutor]) -> None:
        """The accounts of a vault's lanes, as far as they sign."""
        for lane, executor in by_lane.items():
            known = self._lanes.get(executor.address, ())
            if executor.signs and lane not in known:
                self._lanes[executor.address] = (*known, lane)
                self._counts = executor
                self._looked_at = None

    @property
    def funds(self) -> tuple[Funds, ...]:
        """Gas money of each account as last seen, for gauges and alerts."""
        return self._funds

    @property
    def burned(self) -> Burned:
        """What gas cost in a day as last seen, of every account (K-11)."""
        return self._burned

    @property
    def inclusion_blocks(self) -> float | None:
        """Blocks within which protection is in as surely as configured; None where that is not known."""
        return self._inclusion.blocks

    def balance_wei(self, account: str) -> int:
        """What an account held when it was last asked; 0 if nobody knows."""
        return next((f.balance_wei for f in self._funds if f.account == account), 0)

    def look(self, block: BlockStamp) -> None:
        """Ask, if it is time to."""
        last = self._looked_at
        if last is not None and abs(block.number - last) < _LOOK_EVERY_BLOCKS:
            return
        self._looked_at = block.number
        at = {"blockHash": block.hash}
        asks: list[tuple[str, list[Any]]] = [("eth_getBalance", [a, at]) for a in self._lanes]
        try:
            *answers, heard = self._rpc.agreed_batch(asks, [history_call()])
            self._inclusion.heard(heard, block.base_fee_wei)
            found = []
            for (account, lanes), answer in zip(self._lanes.items(), answers, strict=True):
                if isinstance(answer, RpcError):
                    raise answer
                held = quantity(answer, self._rpc.name, "eth_getBalance")
                found.append(funds_of(account, lanes, held, block.base_fee_wei, self._policy))
        except ReadError as error:  # a gauge is not worth a tick
            _log.warning("balances are not known", problem=str(error))
            return
        self._funds = tuple(found)
        for alert in (f.alert for f in found if f.alert):
            _log.error("top up", problem=alert)
        if self._counts is not None:
            self._count_the_day(self._counts, block)

    def _count_the_day(self, journal: TransactionExecutor, block: BlockStamp) -> None:
        """Against what is left for protection, on whatever accounts."""
        self._burned = journal.burned(block.number - self._policy.day_blocks + 1)
        left_wei = sum(f.balance_wei for f in self._funds if Lane.PROTECTIVE in f.lanes)
        alert = self._burned.alert(left_wei)
        if alert:
            _log.error("gas burns", problem=alert)
