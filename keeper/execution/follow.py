"""Looks after an intent in flight, one look a block: every hash it ever had, without waiting."""

from collections.abc import Callable
from itertools import groupby

import structlog

from keeper.errors import EndpointError, ReorganisedError, RpcError
from keeper.execution.life import Action, FollowPolicy, Life, next_action
from keeper.execution.ports import AttemptBook, Rpc
from keeper.execution.quantities import count
from keeper.execution.receipts import METHOD, result_of
from keeper.execution.send import Fate, broadcast, publish
from keeper.model.attempt import Attempt
from keeper.model.block import BlockStamp
from keeper.model.outcome import AttemptResult, AttemptStatus

Replace = Callable[[Attempt, BlockStamp], Attempt | None]
Lowered = Callable[[Attempt, int], Attempt | None]
_REVIEWED_AT_ONCE = 50
_log = structlog.get_logger(__name__)


class Follower:
    """Settles, sends again, bumps or gives up what the journal has in flight; a restart changes nothing."""

    def __init__(
        self,
        rpc: Rpc,
        book: AttemptBook,
        *,
        chain_id: int,
        account: str,
        policy: FollowPolicy,
        replace: Replace,
        lowered: Lowered,
    ) -> None:
        self._rpc = rpc
        self._book = book
        self._chain_id = chain_id
        self._account = account
        self._policy = policy
        self._replace = replace
        self._lowered = lowered
        self._used_since: dict[str, int] = {}

    def follow(self, block: BlockStamp) -> tuple[AttemptResult, ...]:
        """What finished, as seen at `block`."""
        finished = []
        attempts = self._book.open_attempts(self._chain_id, self._account)
        for _, group in groupby(attempts, key=lambda a: a.intent_id):
            result = self._follow_intent(tuple(group), block)
            if result is not None:
                finished.append(result)
        return (*finished, *self._review(block))

    def _follow_intent(
        self, attempts: tuple[Attempt, ...], block: BlockStamp
    ) -> AttemptResult | None:
        last = attempts[-1]
        every = self._book.attempts_of(last.intent_id)  # those given up may be mined as well
        mined_nonce, results, unanswered = self._look(every, block)
        used = mined_nonce > last.nonce
        if used and not results and unanswered:
            raise unanswered  # no answer is not "no receipt"
        since = self._used_since.setdefault(last.intent_id, block.number) if used else block.number
        life = Life(
            nonce=last.nonce,
            mined_nonce=mined_nonce,
            has_receipt=bool(results),
            blocks_since_signed=block.number - last.signed_block,
            nonce_used_blocks=block.number - since,
            timestamp=block.timestamp,
            deadline=last.deadline,
        )
        action = next_action(life, self._policy)
        if action is Action.SETTLE:
            return self._finish(results[0], AttemptStatus.REPLACED)
        if action in (Action.LOST, Action.STOP):
            _log.warning("intent given up", intent=last.intent_id, why=action.value)
            dropped = AttemptStatus.DROPPED
            return self._finish(
                AttemptResult(last.intent_id, last.tx_hash, dropped, None, 0, 0), dropped
            )
        if action is Action.BUMP:
            self._bump(last, block)
        elif action is Action.RESEND:
            self._resend(last)
        return None

    def _review(self, block: BlockStamp) -> tuple[AttemptResult, ...]:
        """Late ends of what was given up or refused, once its nonce is used.

        A pool may have held it: a late revert burned gas all the same (K-11), a late success was one.
        """
        given_up = self._book.given_up(self._chain_id, self._account)
        if not given_up:
            return ()
        mined_nonce, _, _ = self._look((), block)
        passed = [a for a in given_up if a.nonce < mined_nonce and not self._taken(a)]
        passed = passed[:_REVIEWED_AT_ONCE]
        if not passed:
            return ()
        try:
            _, results, unanswered = self._look(tuple(passed), block)
        except EndpointError as error:  # what is over may wait; what is to be decided may not
            _log.warning("what was given up cannot be looked after", problem=str(error))
            return ()
        for result in results:
            self._finish(result, AttemptStatus.REPLACED)
        if unanswered is None:
            nonces = {a.nonce for a in passed if a.tx_hash in {r.tx_hash for r in results}}
            for attempt in (a for a in passed if a.nonce not in nonces):
                since = self._used_since.setdefault(attempt.tx_hash, block.number)
                if block.number - since >= self._policy.lost_after_blocks:
                    self._replaced(attempt)
        return tuple(results)

    def _taken(self, attempt: Attempt) -> bool:
        """True if another attempt of ours is known to have used the nonce: the end of this one."""
        ends = (AttemptStatus.MINED, AttemptStatus.REVERTED)
        same = self._book.attempts_at(self._chain_id, self._account, attempt.nonce)
        if not any(a.status in ends for a in same):
            return False
        self._replaced(attempt)
        return True

    def _replaced(self, attempt: Attempt) -> None:
        self._book.mark(attempt.tx_hash, AttemptStatus.REPLACED)
        self._used_since.pop(attempt.tx_hash, None)

    def _look(
        self, attempts: tuple[Attempt, ...], block: BlockStamp
    ) -> tuple[int, list[AttemptResult], RpcError | None]:
        """Mined nonce at the pinned block, what receipts up to it say, and a refusal to answer."""
        name, counts = self._rpc.name, "eth_getTransactionCount"
        mined, *answers = self._rpc.batch(
            [
                (counts, [self._account, {"blockHash": block.hash}]),
                *((METHOD, [a.tx_hash]) for a in attempts),
            ]
        )
        if isinstance(mined, RpcError):
            gone = "not found" in mined.message.lower() or "unknown" in mined.message.lower()
            raise ReorganisedError(block.hash) if gone else mined
        refusals = [answer for answer in answers if isinstance(answer, RpcError)]
        results = [
            result
            for attempt, answer in zip(attempts, answers, strict=True)
            if not isinstance(answer, RpcError)
            and (result := result_of(attempt, answer, name)) is not None
            and (result.block_number or 0) <= block.number
        ]
        return count(mined, name, counts), results, refusals[0] if refusals else None

    def _finish(self, result: AttemptResult, losers: AttemptStatus) -> AttemptResult:
        self._book.settle(result, losers)
        self._used_since.pop(result.intent_id, None)
        self._used_since.pop(result.tx_hash, None)
        return result

    def _bump(self, last: Attempt, block: BlockStamp) -> None:
        replacement = self._replace(last, block)
        if replacement is None:
            self._resend(last)
            return
        sent, fate, words = publish(self._rpc, self._book, replacement, self._lowered)
        if fate is Fate.ACCEPTED:
            self._book.mark(sent.tx_hash, AttemptStatus.SENT)
            _log.info("fee raised", intent=last.intent_id, tx=sent.tx_hash)
        elif fate in (Fate.UNFUNDED, Fate.UNDERPRICED, Fate.OVER_CAP, Fate.REFUSED):
            # the pool keeps the earlier one: send that again, unchanged, without climbing further
            self._book.mark(sent.tx_hash, AttemptStatus.REFUSED, words)
            self._resend(last)
        else:
            _log.warning("replacement sent, fate unknown", intent=last.intent_id, words=words)

    def _resend(self, last: Attempt) -> None:
        fate, words = broadcast(self._rpc, last.raw)
        if fate is Fate.ACCEPTED:
            if last.status is AttemptStatus.SIGNED:
                self._book.mark(last.tx_hash, AttemptStatus.SENT)
        elif fate is not Fate.NONCE_USED:
            _log.warning("sent again", intent=last.intent_id, tx=last.tx_hash, endpoint_says=words)
