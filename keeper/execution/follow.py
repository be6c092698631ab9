"""Looks after an intent in flight, one look a block: every hash it ever had, without waiting."""

from collections.abc import Callable
from itertools import groupby
from typing import Any

import structlog

from keeper.errors import EndpointError, ReorganisedError, RpcError
from keeper.execution.life import Action, FollowPolicy, Life, next_action
from keeper.execution.ports import AttemptBook, Rpc
from keeper.execution.send import Fate, broadcast, publish
from keeper.model.attempt import Attempt
from keeper.model.block import BlockStamp
from keeper.model.outcome import AttemptResult, AttemptStatus

Replace = Callable[[Attempt, BlockStamp], Attempt | None]
Lowered = Callable[[Attempt, int], Attempt | None]
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
        attempts = self._book.open_attempts(self._chain_id, self._account)
        finished = []
        for _, group in groupby(attempts, key=lambda a: a.intent_id):
            result = self._follow_intent(tuple(group), block)
            if result is not None:
                finished.append(result)
        return tuple(finished)

    def _follow_intent(
        self, attempts: tuple[Attempt, ...], block: BlockStamp
    ) -> AttemptResult | None:
        last = attempts[-1]
        every = self._book.attempts_of(last.intent_id)  # those given up may be mined as well
        mined_nonce, receipts = self._look(every, block)
        used = mined_nonce > last.nonce
        since = self._used_since.setdefault(last.intent_id, block.number) if used else block.number
        life = Life(
            nonce=last.nonce,
            mined_nonce=mined_nonce,
            has_receipt=bool(receipts),
            blocks_since_signed=block.number - last.signed_block,
            nonce_used_blocks=block.number - since,
            timestamp=block.timestamp,
            deadline=last.deadline,
        )
        action = next_action(life, self._policy)
        if action is Action.SETTLE:
            return self._finish(_mined(last.intent_id, receipts[0]), AttemptStatus.REPLACED)
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

    def _look(
        self, attempts: tuple[Attempt, ...], block: BlockStamp
    ) -> tuple[int, list[dict[str, Any]]]:
        """Mined nonce at the pinned block, and the receipts of the intent's hashes up to it."""
        count, *answers = self._rpc.batch(
            [
                ("eth_getTransactionCount", [self._account, {"blockHash": block.hash}]),
                *(("eth_getTransactionReceipt", [a.tx_hash]) for a in attempts),
            ]
        )
        if isinstance(count, RpcError):
            gone = "not found" in count.message.lower() or "unknown" in count.message.lower()
            raise ReorganisedError(block.hash) if gone else count
        try:
            receipts = [r for r in answers if isinstance(r, dict) and r.get("blockNumber")]
            settled = [r for r in receipts if int(r["blockNumber"], 16) <= block.number]
            return int(count, 16), settled
        except (TypeError, ValueError) as error:
            method = "eth_getTransactionReceipt"
            raise EndpointError(self._rpc.name, method, "answered nonsense") from error

    def _finish(self, result: AttemptResult, losers: AttemptStatus) -> AttemptResult:
        self._book.settle(result, losers)
        self._used_since.pop(result.intent_id, None)
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


def _mined(intent_id: str, receipt: dict[str, Any]) -> AttemptResult:
    succeeded = int(receipt["status"], 16) == 1
    return AttemptResult(
        intent_id=intent_id,
        tx_hash=receipt["transactionHash"],
        status=AttemptStatus.MINED if succeeded else AttemptStatus.REVERTED,
        block_number=int(receipt["blockNumber"], 16),
        gas_used=int(receipt["gasUsed"], 16),
        gas_price_wei=int(receipt.get("effectiveGasPrice", "0x0"), 16),
    )
