"""Looks after an account's intents, one look a block: every hash each ever had, without waiting."""

import structlog

from keeper.errors import ReadError, RpcError
from keeper.execution.late import LateEnds
from keeper.execution.look import Look, look
from keeper.execution.machine import LEADS_TO, PATIENT, Action, FollowPolicy, Seen, View, decide
from keeper.execution.outbox import Outbox
from keeper.execution.ports import AttemptBook, Rpc, agreed
from keeper.execution.progress import Progress
from keeper.execution.queue import waiting_behind
from keeper.execution.replace import Replacements
from keeper.execution.simulate import is_revert, ran_out_of_gas
from keeper.execution.watch import InChain
from keeper.model.attempt import Attempt
from keeper.model.block import BlockStamp
from keeper.model.decision import Lane
from keeper.model.intent_state import IntentRecord, IntentState
from keeper.model.outcome import AttemptResult, AttemptStatus

_log = structlog.get_logger(__name__)
_IN_BLOCK = frozenset({AttemptStatus.MINED, AttemptStatus.REVERTED, AttemptStatus.CANCELLED})
_UNSIGNED = frozenset({IntentState.CREATED, IntentState.JOURNALLED, IntentState.SIMULATED})
_GO_ON = frozenset({Action.INCLUDE, Action.REOPEN, Action.CONFIRM})
_MOST_STEPS = 5
"""Reopened, included elsewhere, confirmed, final: no honest block asks for more."""
_NOT_SIGNED = "the keeper ended before it was signed; decided anew"
_OUT = "its block was reorganised away"


class Follower:
    """Settles, sends again, bumps, gives up, and watches to finality what the journal has open.

    A restart changes nothing: all it needs is in the journal and on chain.
    """

    def __init__(
        self,
        rpc: Rpc,
        book: AttemptBook,
        outbox: Outbox,
        replacements: Replacements,
        *,
        chain_id: int,
        account: str,
        policy: FollowPolicy,
    ) -> None:
        self._rpc = rpc
        self._book = book
        self._outbox = outbox
        self._replacements = replacements
        self._chain_id = chain_id
        self._account = account
        self._policy = policy
        self._progress = Progress(book, account)
        self._in_chain = InChain(policy)
        # a receipt that is missing for long is still no proof: only what is final cannot be ours any more
        patience = max(policy.lost_after_blocks, policy.finality_blocks)
        self._late = LateEnds(rpc, book, self._progress, account, patience)
        self._used_since: dict[str, int] = {}
        self._reopened_at: dict[str, int] = {}
        self._giving_way: set[str] = set()
        self._stale: set[str] = set()
        self._stale_before: set[str] = set()

    def follow(self, block: BlockStamp) -> tuple[AttemptResult, ...]:
        """What finished, as seen at `block`, also what is mined once more after a reorganisation."""
        groups, records = self._groups(), self._records()
        groups.update(self._left_over(records, groups))
        watched = self._in_chain.due(records.values(), block)
        groups.update({r.intent_id: self._book.attempts_of(r.intent_id) for r in watched})
        finished = []
        self._stale_before, self._stale = self._stale, set()
        if groups:
            every = tuple(a for group in groups.values() for a in group)
            seen = look(self._rpc, self._account, every, block, finality=bool(watched))
            for intent_id, attempts in groups.items():
                try:
                    result = self._follow_intent(records.get(intent_id), attempts, seen, block)
                except ReadError as error:
                    # the next block finds it as it is; the others in the line, of other vaults, go on
                    _log.warning("cannot be looked after", intent=intent_id, problem=str(error))
                    continue
                if result is not None:
                    finished.append(result)
        self._in_chain.saw(block)
        return (*finished, *self._late.review(self._chain_id, block))

    def pass_over(self, block: BlockStamp) -> None:
        """A head on which nothing is looked at: only its place in the chain is noted."""
        self._in_chain.pass_over(block)

    def give_way(self, intent_id: str) -> None:
        """From the next look on, put the empty transaction in its place until one of them is mined."""
        self._giving_way.add(intent_id)

    def waits(self, intent_id: str) -> bool:
        """False once its nonce was seen used: whoever is next has the next nonce, receipt or not. And while it is
        stale: whoever is next has the same nonce."""
        return intent_id not in self._used_since and intent_id not in self._stale

    def used(self, intent_id: str) -> bool:
        """True once its nonce was seen used, receipt or not."""
        return intent_id in self._used_since

    def stale(self, intent_id: str) -> bool:
        """True if the contracts would refuse it at the block last followed: it may be replaced by a new plan."""
        return intent_id in self._stale

    def _groups(self) -> dict[str, tuple[Attempt, ...]]:
        """All attempts of every intent in flight: those given up may be mined as well."""
        open_attempts = self._book.open_attempts(self._chain_id, self._account)
        names = dict.fromkeys(a.intent_id for a in open_attempts)
        return {name: self._book.attempts_of(name) for name in names}

    def _records(self) -> dict[str, IntentRecord]:
        records = self._book.open_intents(self._chain_id)
        return {r.intent_id: r for r in records if r.account == self._account}

    def _left_over(
        self, records: dict[str, IntentRecord], groups: dict[str, tuple[Attempt, ...]]
    ) -> dict[str, tuple[Attempt, ...]]:
        """What a crash left between two writes: ended where nothing is out, else looked at again."""
        found = {}
        for name, record in records.items():
            if name in groups or record.state in (IntentState.INCLUDED, IntentState.CONFIRMED):
                continue
            attempts = self._book.attempts_of(name)
            if any(a.status in _IN_BLOCK for a in attempts):
                found[name] = attempts
            elif not attempts and record.state in _UNSIGNED:
                self._progress.reach(name, LEADS_TO[Action.DISCARD], note=_NOT_SIGNED)
            else:
                self._progress.reach(name, IntentState.CANCELLED, note="given up before a restart")
        return found

    def _follow_intent(
        self,
        record: IntentRecord | None,
        attempts: tuple[Attempt, ...],
        seen: Look,
        block: BlockStamp,
    ) -> AttemptResult | None:
        """Steps until the next one is patience; the last result on the way."""
        finished: AttemptResult | None = None
        state = self._state(record, attempts)
        for _ in range(_MOST_STEPS):
            view = self._view(state, record, attempts)
            action = decide(view, self._seen(view, attempts, seen, block), self._policy)
            if action in PATIENT:
                break
            result, state = self._step(action, state, attempts, seen, block)
            finished = result or finished
            if action is Action.REOPEN and seen.result(attempts) is None:
                break  # the same bytes are out again; patience begins anew
            record = self._book.intent(attempts[-1].intent_id)
            if action not in _GO_ON or record is None:
                break
        return finished

    def _state(self, record: IntentRecord | None, attempts: tuple[Attempt, ...]) -> IntentState:
        """An attempt is in the journal, so the intent is signed at least."""
        if record is None:
            return self._progress.state(attempts[-1].intent_id)
        return IntentState.SIGNED if record.state in _UNSIGNED else record.state

    def _view(
        self, state: IntentState, record: IntentRecord | None, attempts: tuple[Attempt, ...]
    ) -> View:
        last = _newest(attempts)
        reopened = self._reopened_at.get(last.intent_id, 0)
        return View(
            state=state,
            nonce=last.nonce,
            deadline=last.deadline,
            signed_block=max(last.signed_block, reopened),
            sent=last.status is not AttemptStatus.SIGNED,
            gives_way=last.intent_id in self._giving_way,
            cancelling=last.cancels,
            included_block=record.block_number if record else None,
            included_hash=record.block_hash if record else None,
        )

    def _seen(
        self, view: View, attempts: tuple[Attempt, ...], seen: Look, block: BlockStamp
    ) -> Seen:
        name, result = attempts[-1].intent_id, seen.result(attempts)
        used = view.nonce is not None and seen.mined_nonce > view.nonce
        unanswered = seen.refusal(attempts)
        if not used or result is not None or unanswered is not None:
            self._used_since.pop(name, None)  # no answer is not "no receipt": patience begins anew
        since = self._used_since.setdefault(name, block.number) if used and not result else 0
        return Seen(
            number=block.number,
            timestamp=block.timestamp,
            mined_nonce=seen.mined_nonce,
            receipt_block=result.block_number if result else None,
            receipt_hash=result.block_hash if result else None,
            nonce_used_blocks=block.number - since if since else 0,
            finalised=seen.finalised,
        )

    def _step(
        self,
        action: Action,
        state: IntentState,
        attempts: tuple[Attempt, ...],
        seen: Look,
        block: BlockStamp,
    ) -> tuple[AttemptResult | None, IntentState]:
        last, result = _newest(attempts), seen.result(attempts)
        if action is Action.STOP and self._holds_up(last):
            self._make_way(last, attempts, block)
            return None, state
        if action is Action.INCLUDE and result is not None:
            self._progress.paid(result, seen.costs.get(result.tx_hash, ()))
            return self._include(result), IntentState.INCLUDED
        if action in (Action.LOST, Action.STOP):
            return self._give_up(last, action), LEADS_TO[action]
        if action is Action.REOPEN:
            self._reopen(last, attempts, block, moved=result is not None)
            return None, IntentState.ATTEMPTED
        if action in (Action.CONFIRM, Action.FINALISE):
            return None, self._deepen(action, attempts, result)
        if action in (Action.BUMP, Action.RESEND) and self._gone_stale(last, block):
            self._make_way(last, attempts, block)
        elif action is Action.BUMP:
            self._replacements.bump(last, attempts, block)
        elif action is Action.CANCEL:
            self._replacements.cancel(last, attempts, block)
        elif action is Action.RESEND:
            self._replacements.resend(last, attempts, block.number)
        return None, state

    def _holds_up(self, last: Attempt) -> bool:
        """True if another intent waits behind its nonce: given back, the nonce would be a gap (K-04)."""
        in_flight = self._book.open_attempts(self._chain_id, self._account)
        return bool(waiting_behind(last, in_flight))

    def _make_way(self, last: Attempt, attempts: tuple[Attempt, ...], block: BlockStamp) -> None:
        """It shall not be mined any more: a fresh plan may take its nonce; if none did by the next block and
        others wait behind it, the empty transaction does."""
        first = last.intent_id not in self._stale_before
        self._stale.add(last.intent_id)
        if first or not self._holds_up(last):
            return
        if not last.cancels:
            self._replacements.cancel(last, attempts, block)
        elif block.number - last.signed_block >= self._policy.bump_after_blocks:
            self._replacements.bump(last, attempts, block)
        else:
            self._replacements.resend(last, attempts, block.number)

    def _gone_stale(self, last: Attempt, block: BlockStamp) -> bool:
        """True for protection whose plan the market has left behind: sent again it would only burn gas (K-11).

        A fresh plan takes its nonce, so one of the two is mined at most (K-01).
        """
        aged = block.number > last.signed_block and not last.cancels
        if last.lane is not Lane.PROTECTIVE or not aged:
            return False
        call = {"from": last.account, "to": last.to, "data": last.call_data}
        asked = [{**call, "gas": hex(last.gas_limit)}, {"blockHash": block.hash}]
        try:
            agreed(self._rpc, "eth_call", asked)
        except RpcError as error:
            return is_revert(error) or ran_out_of_gas(error)
        except ReadError:  # nobody knows: what is out stays out
            return False
        return False

    def _include(self, result: AttemptResult) -> AttemptResult:
        self._book.settle(result, AttemptStatus.REPLACED)
        self._used_since.pop(result.intent_id, None)
        self._progress.reach(
            result.intent_id,
            IntentState.INCLUDED,
            block_number=result.block_number,
            block_hash=result.block_hash,
            tx_hash=result.tx_hash,
            note=result.status.value,
        )
        return result

    def _give_up(self, last: Attempt, action: Action) -> AttemptResult:
        _log.warning("intent given up", intent=last.intent_id, why=action.value)
        dropped = AttemptStatus.DROPPED
        result = AttemptResult(last.intent_id, last.tx_hash, dropped, None, 0, 0)
        self._book.settle(result, dropped)
        note = (
            "past its deadline" if action is Action.STOP else "another transaction took its nonce"
        )
        self._progress.reach(last.intent_id, LEADS_TO[action], note=note)
        self._used_since.pop(last.intent_id, None)
        self._outbox.withdraw((last,))
        return result

    def _reopen(
        self, last: Attempt, attempts: tuple[Attempt, ...], block: BlockStamp, *, moved: bool
    ) -> None:
        """Back in flight; unless it is in another block already, the same bytes are sent first, or a fresh plan
        takes their nonce where the market has left them behind."""
        mined = next((a for a in reversed(attempts) if a.status in _IN_BLOCK), last)
        _log.warning("reorganised", intent=last.intent_id, tx=mined.tx_hash, moved=moved)
        self._book.reopen(mined.tx_hash, _OUT)
        for rival in self._book.attempts_at(self._chain_id, self._account, mined.nonce):
            if rival.intent_id != mined.intent_id and rival.status is AttemptStatus.REPLACED:
                # what took its nonce is gone: it may be mined after all
                self._book.mark(rival.tx_hash, AttemptStatus.DROPPED, _OUT)
        if not moved:
            self._reopened_at[mined.intent_id] = block.number
            if self._gone_stale(mined, block):
                self._stale.add(mined.intent_id)
            else:
                self._replacements.resend(mined, attempts, block.number)

    def _deepen(
        self, action: Action, attempts: tuple[Attempt, ...], result: AttemptResult | None
    ) -> IntentState:
        state = LEADS_TO[action]
        if action is Action.FINALISE and result and result.status is AttemptStatus.CANCELLED:
            state = IntentState.CANCELLED
        self._progress.reach(
            attempts[-1].intent_id,
            state,
            block_number=result.block_number if result else None,
            block_hash=result.block_hash if result else None,
            tx_hash=result.tx_hash if result else None,
        )
        return state


def _newest(attempts: tuple[Attempt, ...]) -> Attempt:
    """The newest that a pool may hold: a refused replacement is not what is bumped next."""
    held = (AttemptStatus.SIGNED, AttemptStatus.SENT)
    return next((a for a in reversed(attempts) if a.status in held), attempts[-1])
