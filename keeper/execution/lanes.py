"""Two lanes, routine and protective: an account and a nonce stream each, or one shared where there is one key.

Protection never waits for routine work (K-05). On a shared account it takes the nonce of what is in flight there;
on its own it is broadcast first, and then the routine account's transaction is replaced by an empty one, because a
plan that lands before it would change the state protection is bound to.
"""

from collections.abc import Mapping
from concurrent.futures import Executor
from types import MappingProxyType

import structlog

from keeper.errors import IntentError, ReadError, SendError, UnfundedError
from keeper.execution.executor import TransactionExecutor
from keeper.execution.funds import Burned, Funds, FundsPolicy
from keeper.execution.means import Means
from keeper.execution.ports import Rpc
from keeper.execution.recent import RecentInclusion
from keeper.execution.rounds import Rounds
from keeper.model.attempt import Attempt
from keeper.model.block import BlockStamp
from keeper.model.decision import Intent, Lane
from keeper.model.outcome import AttemptResult

_log = structlog.get_logger(__name__)


class Lanes:
    """Executor of both lanes of one vault, or of all that their accounts carry."""

    def __init__(
        self,
        rpc: Rpc,
        routine: TransactionExecutor,
        protective: TransactionExecutor | None = None,
        *,
        funds: FundsPolicy | None = None,
        inclusion: RecentInclusion | None = None,
        vault: str | None = None,
        means: Means | None = None,
        rounds: Rounds | None = None,
    ) -> None:
        """Without `protective` both lanes share the routine account.

        vault: whose lanes these are, where its accounts carry other vaults' intents as well; then `means` and
        `rounds` are shared with those.
        """
        self._by_lane: Mapping[Lane, TransactionExecutor] = MappingProxyType(
            {Lane.ROUTINE: routine, Lane.PROTECTIVE: protective or routine}
        )
        self._vault = vault
        self._rounds = rounds
        self._means = means or Means(rpc, funds=funds, inclusion=inclusion)
        self._means.join(self._by_lane)

    @property
    def shared(self) -> bool:
        """True where both lanes have one account."""
        return self._by_lane[Lane.ROUTINE] is self._by_lane[Lane.PROTECTIVE]

    @property
    def funds(self) -> tuple[Funds, ...]:
        """Gas money of each account as last seen, for gauges and alerts."""
        return self._means.funds

    @property
    def burned(self) -> Burned:
        """What gas cost in a day as last seen, for gauges and alerts (K-11)."""
        return self._means.burned

    def account_of(self, lane: Lane) -> str:
        """Address of the account that carries a lane."""
        return self._by_lane[lane].address

    def balance_wei(self, lane: Lane) -> int:
        """What the account of a lane held when it was last asked; 0 if nobody knows."""
        return self._means.balance_wei(self.account_of(lane))

    def routine_waits_until(self) -> int:
        """When the mandate takes routine rebalances again, as a simulation last heard; 0 if it said nothing."""
        return max(e.routine_waits_until(self._vault) for e in self._executors())

    def inclusion_blocks(self) -> float | None:
        """Blocks within which protection is in as surely as configured; None where that is not known."""
        return self._means.inclusion_blocks

    def in_flight(self, lane: Lane | None = None) -> int:
        """How many intents of a lane, or of both, are signed and neither mined nor given up."""
        return sum(executor.in_flight(lane, self._vault) for executor in self._executors())

    def unmined(self, lane: Lane) -> int:
        """How many of a lane have a nonce that no block was seen to use."""
        return sum(executor.unmined(lane, self._vault) for executor in self._executors())

    def untaken(self, lane: Lane) -> int:
        """How many of a lane no endpoint said it has: they are worth offering again at the same block."""
        return sum(executor.untaken(lane, self._vault) for executor in self._executors())

    def follow(self, block: BlockStamp) -> tuple[AttemptResult, ...]:
        """Look after both lanes, protection first; a fault of the routine look is only told (K-05)."""
        results = list(self._followed(Lane.PROTECTIVE, block))
        if not self.shared:
            try:
                results += self._followed(Lane.ROUTINE, block)
            except ReadError as fault:
                _log.warning("the routine lane cannot be looked after", problem=str(fault))
        self._means.look(block)
        return tuple(results)

    def _followed(self, lane: Lane, block: BlockStamp) -> tuple[AttemptResult, ...]:
        executor = self._by_lane[lane]
        if self._rounds is None or self._vault is None:
            return executor.follow(block)
        return self._rounds.follow(executor, block, self._vault)

    def pass_over(self, block: BlockStamp) -> None:
        """A head that is not followed: only its place in the chain is noted."""
        for executor in self._executors():
            executor.pass_over(block)

    def begin(self, intent: Intent, threads: Executor) -> None:
        """Let the simulation of an intent run while it is journalled; `submit` and `rehearse` wait for it."""
        self._by_lane[intent.lane].begin(intent, threads)

    def rehearse(self, intent: Intent) -> str:
        """Everything short of signing, by the account of the lane."""
        return self._by_lane[intent.lane].rehearse(intent)

    def submit(self, intent: Intent) -> str:
        """At most one effect; hash of the transaction that was sent, or may have been."""
        own, other = self._by_lane[intent.lane], self._by_lane[Lane.ROUTINE]
        spare = intent.lane is Lane.PROTECTIVE and not self.shared
        try:
            tx_hash = own.submit(intent, last_resort=not spare)
        except UnfundedError as error:
            if not spare or own.tried(intent.id):
                raise
            # what its own account cannot pay, and never signed for, the routine one may carry
            _log.error("the protective account cannot pay: the routine one does", why=str(error))
            return other.submit(intent)
        if intent.lane is Lane.PROTECTIVE and not self.shared:
            self._clear_the_way()
        return tx_hash

    def cancel(self, intent_id: str) -> str:
        """Put an empty transaction in an intent's place; words for a person. IntentError if it is over."""
        return self._carrier(intent_id).cancel(intent_id)

    def speed_up(self, intent_id: str) -> str:
        """Replace an intent's transaction with a dearer one now; words for a person."""
        return self._carrier(intent_id).speed_up(intent_id)

    def abandon(self, intent_id: str) -> str:
        """Look after an intent no more; the next one uses its nonce. A pool may mine it all the same."""
        return self._carrier(intent_id).abandon(intent_id)

    def _executors(self) -> tuple[TransactionExecutor, ...]:
        return tuple(dict.fromkeys(self._by_lane.values()))

    def _clear_the_way(self) -> None:
        """Routine work of the same vault yields; a fault of that is no fault of the protection that is out already."""
        routine = self._by_lane[Lane.ROUTINE]
        for intent_id in dict.fromkeys(_routine(routine.open_attempts(self._vault))):
            try:
                said = routine.cancel(intent_id)
            except (ReadError, SendError, IntentError) as error:
                said = str(error)
            _log.warning("routine yields to protection", intent=intent_id, outcome=said)

    def _carrier(self, intent_id: str) -> TransactionExecutor:
        executors = self._executors()
        return next((e for e in executors if e.carries(intent_id)), executors[0])


def _routine(attempts: tuple[Attempt, ...]) -> list[str]:
    return [a.intent_id for a in attempts if a.lane is Lane.ROUTINE]
