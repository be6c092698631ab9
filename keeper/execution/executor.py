"""One account's way to the chain: simulate, price, sign, journal, send; and look after it until it is final."""

from concurrent.futures import Executor
from dataclasses import replace

import structlog

from keeper.errors import (
    FeeCeilingError,
    IntentError,
    OutbidError,
    RejectedError,
    SendError,
    UnfundedError,
)
from keeper.execution.fate import Fate
from keeper.execution.fees import (
    Ask,
    Fees,
    GasPolicy,
    at_least,
    bumped,
    first_fees,
    least_replacement,
    most,
    opening,
)
from keeper.execution.follow import Follower
from keeper.execution.funds import Burned
from keeper.execution.inclusion import UrgencyPolicy
from keeper.execution.look import newest
from keeper.execution.machine import FollowPolicy
from keeper.execution.nonces import OPEN, Floor, fee_floor, next_nonce
from keeper.execution.outbox import Outbox, first_offered, publish
from keeper.execution.ports import AttemptBook, Rpc
from keeper.execution.progress import Progress
from keeper.execution.queue import committed_wei, waiting_behind
from keeper.execution.rehearsal import Rehearsal, Rehearser
from keeper.execution.replace import Replacements, urgency
from keeper.execution.signer import Signer
from keeper.execution.signing import signed
from keeper.execution.simulate import ErrorBook
from keeper.model.attempt import Attempt
from keeper.model.block import BlockStamp
from keeper.model.decision import Intent, Lane, Rebalance
from keeper.model.intent_state import IntentState
from keeper.model.outcome import AttemptResult, AttemptStatus
from keeper.model.units import Wei

_log = structlog.get_logger(__name__)
_NOT_OUT = (Fate.REFUSED, Fate.OVER_CAP, Fate.UNDERPRICED, Fate.WITHHELD)


class TransactionExecutor:
    """Executor over one account: every intent has one nonce, so at most one of its attempts is mined (K-01)."""

    def __init__(
        self,
        rpc: Rpc,
        book: AttemptBook,
        errors: ErrorBook,
        *,
        chain_id: int,
        account: str,
        signer: Signer | None,
        gas: GasPolicy | None = None,
        follow: FollowPolicy | None = None,
        urgent: UrgencyPolicy | None = None,
        outbox: Outbox | None = None,
    ) -> None:
        self._rpc = rpc
        self._book = book
        self._chain_id = chain_id
        self._account = account
        self._signer = signer
        self._gas = gas or GasPolicy()
        self._urgent = urgent or UrgencyPolicy()
        self._outbox = outbox or Outbox(rpc)
        self._progress = Progress(book, account)
        self._rehearser = Rehearser(rpc, errors, self._gas, chain_id=chain_id, account=account)
        self._replacements = Replacements(
            rpc,
            book,
            self._outbox,
            signer,
            account=account,
            gas=self._gas,
            urgent=self._urgent,
        )
        self._follower = Follower(
            rpc,
            book,
            self._outbox,
            self._replacements,
            chain_id=chain_id,
            account=account,
            policy=follow or FollowPolicy(),
        )

    @property
    def address(self) -> str:
        """The account."""
        return self._account

    @property
    def signs(self) -> bool:
        """False for a keeper that only rehearses."""
        return self._signer is not None

    def tried(self, intent_id: str) -> bool:
        """True if something was ever signed for an intent: no other account may try it then (K-01)."""
        return bool(self._book.attempts_of(intent_id))

    def carries(self, intent_id: str) -> bool:
        """True if this account signed for an intent."""
        return any(a.account == self._account for a in self._book.attempts_of(intent_id))

    def account_of(self, lane: Lane) -> str:  # noqa: ARG002 - the port asks by lane
        """The account, whatever the lane."""
        return self._account

    def routine_waits_until(self, vault: str | None = None) -> int:
        """When the mandate takes routine rebalances again, as a simulation last heard; 0 if it said nothing."""
        return self._rehearser.routine_waits_until(vault)

    def in_flight(self, lane: Lane | None = None, vault: str | None = None) -> int:
        """How many intents, of one vault or all, are signed and neither mined nor given up; the journal knows."""
        return len({a.intent_id for a in self.open_attempts(vault) if lane in (None, a.lane)})

    def unmined(self, lane: Lane, vault: str | None = None) -> int:
        """How many of them a lane, of one vault or all, waits for.

        One whose nonce is used at the block last followed is mined, though no endpoint shows the receipt: what
        is decided at that block is bound to a state that has its effect, and has the next nonce (K-01).
        """
        names = {a.intent_id for a in self.open_attempts(vault) if a.lane is lane}
        return sum(self._follower.waits(name) for name in names)

    def untaken(self, lane: Lane, vault: str | None = None) -> int:
        """How many of a lane no endpoint said it has, as far as their nonces are free: worth offering again."""
        newest = {a.intent_id: a for a in self.open_attempts(vault) if a.lane is lane}
        signed = [a.intent_id for a in newest.values() if a.status is AttemptStatus.SIGNED]
        return sum(not self._follower.used(name) for name in signed)

    def burned(self, since_block: int) -> Burned:
        """What gas cost from a block on, of all that the journal knows of the chain."""
        return Burned(
            self._book.reverted_gas_wei(self._chain_id, since_block),
            self._book.spent_gas_wei(self._chain_id, since_block, Lane.PROTECTIVE),
        )

    def balance_wei(self, lane: Lane) -> int:  # noqa: ARG002 - the port asks by lane
        """Nobody asked: lanes do, for all their accounts."""
        return 0

    def open_attempts(self, vault: str | None = None) -> tuple[Attempt, ...]:
        """Signed or sent and not settled, of one vault or all, oldest first; none for who cannot sign."""
        if self._signer is None:
            return ()
        return self._book.open_attempts(self._chain_id, self._account, vault)

    def follow(self, block: BlockStamp) -> tuple[AttemptResult, ...]:
        """Settle, send again or bump what is in flight, as seen at `block`; never waits."""
        if self._signer is None:  # who cannot sign does not send either
            return ()
        return self._follower.follow(block)

    def pass_over(self, block: BlockStamp) -> None:
        """A head that is not followed: only its place in the chain is noted."""
        self._follower.pass_over(block)

    def begin(self, intent: Intent, threads: Executor) -> None:
        """Let the simulation of an intent run while it is journalled; `submit` and `rehearse` wait for it."""
        self._rehearser.begin(intent, threads)

    def rehearse(self, intent: Intent) -> str:
        """Everything short of signing: simulates and prices; says what would be sent."""
        try:
            rehearsal = self._rehearser.rehearse(intent)
            fees = self._fees(intent, rehearsal, None)
        except SendError as error:
            self._progress.reach(intent.id, IntentState.FAILED, note=str(error))
            raise
        self._progress.reach(intent.id, IntentState.CANCELLED, note="rehearsed only")
        return (
            f"would send {_what(intent)}, gas limit {rehearsal.gas_limit:,}, "
            f"max fee {fees.cap_wei / 1e9:.2f} gwei"
        )

    def submit(self, intent: Intent, *, last_resort: bool = True) -> str:
        """At most one effect: the hash of the transaction that was sent, or may have been.

        last_resort: False if another account may carry what this one cannot pay.
        """
        known = self._book.attempts_of(intent.id)
        if known:
            return known[-1].tx_hash  # decided before: following it is all there is to do
        try:
            rehearsal = self._rehearser.rehearse(intent)
            attempt = self._sign(intent, rehearsal)
        except SendError as error:  # nothing is journalled as signed, so the nonce is still free
            if isinstance(error, UnfundedError) and not last_resort:
                raise
            self._progress.reach(intent.id, IntentState.FAILED, note=str(error))
            raise
        return self._send(attempt, rehearsal)

    def cancel(self, intent_id: str) -> str:
        """Put the empty transaction in an intent's place; words for a person. IntentError if it is over."""
        last, attempts, block = self._in_flight(intent_id)
        self._follower.give_way(intent_id)
        self._replacements.cancel(last, attempts, block)
        newest = self._book.attempts_of(intent_id)[-1]
        if not newest.cancels or newest.status is AttemptStatus.REFUSED:
            return f"{intent_id} cannot be outbid yet; it is tried again each block"
        return f"{intent_id} gives way to {newest.tx_hash}"

    def speed_up(self, intent_id: str) -> str:
        """Replace an intent's transaction with a dearer one now; words for a person."""
        last, attempts, block = self._in_flight(intent_id)
        self._replacements.bump(last, attempts, block)
        newest = self._book.attempts_of(intent_id)[-1]
        if newest.tx_hash == last.tx_hash or newest.status is AttemptStatus.REFUSED:
            return f"{intent_id} cannot pay more within its bounds; sent again unchanged"
        return f"{intent_id}: {newest.tx_hash} pays {newest.max_fee_wei / 1e9:.2f} gwei at most"

    def abandon(self, intent_id: str) -> str:
        """Look after an intent no more; the next one uses its nonce. A pool may mine it all the same."""
        last, attempts, _block = self._in_flight(intent_id)
        if waiting_behind(last, self.open_attempts()):
            problem = "cannot be abandoned: others wait behind its nonce; cancel it instead"
            raise IntentError(intent_id, problem)
        dropped = AttemptStatus.DROPPED
        self._book.settle(AttemptResult(intent_id, last.tx_hash, dropped, None, 0, 0), dropped)
        self._progress.reach(intent_id, IntentState.CANCELLED, note="abandoned by a person")
        self._outbox.withdraw(attempts)
        return f"{intent_id} is abandoned; nonce {last.nonce} goes to the next intent"

    def _in_flight(self, intent_id: str) -> tuple[Attempt, tuple[Attempt, ...], BlockStamp]:
        attempts = self._book.attempts_of(intent_id)
        mine = [a for a in attempts if a.status in OPEN and a.account == self._account]
        if not mine:
            record = self._book.intent(intent_id)
            where = f"is {record.state}" if record else "is not known to the journal"
            raise IntentError(intent_id, f"{where}, with nothing in flight")
        return mine[-1], attempts, newest(self._rpc)

    def _fees(self, intent: Intent, rehearsal: Rehearsal, floor: Floor | None) -> Fees:
        base, limit, balance = rehearsal.base_fee_wei, rehearsal.gas_limit, rehearsal.balance_wei
        if rehearsal.history is not None:
            base = max(base, rehearsal.history.next_base_fee_wei)
        needed_by = min(intent.needed_by or intent.deadline, intent.deadline)
        tip = urgency(rehearsal.history, intent.lane, rehearsal.timestamp, needed_by, self._urgent)
        ask = Ask(intent.lane, limit, intent.value_at_risk_wei, tip)
        first = first_fees(base, intent.lane, self._gas)
        if first is None:
            raise FeeCeilingError(base, self._gas.routine_ceiling_wei)
        fees = opening(base, ask, balance, self._gas)
        if fees is None:
            raise UnfundedError(self._account, balance, limit * first.cap_wei)
        if floor is None:
            return fees
        bound = most(base, ask, balance, self._gas)
        raised = bumped(floor.fees, base, bound, self._gas)
        if raised is not None:
            return at_least(fees, raised)
        if floor.certain:
            least = least_replacement(floor.fees, self._gas)
            raise OutbidError(
                rehearsal.mined, least.cap_wei, least.tip_wei, bound.cap_wei, bound.tip_wei
            )
        return fees  # the endpoint's pool is empty: what another may hold is not worth more than the bound

    def _place(self, intent: Intent, rehearsal: Rehearsal) -> tuple[int, Fees]:
        """Nonce and fees. Who cannot outbid another vault's transaction stands behind it, and urges it."""
        mined, pending = rehearsal.mined, rehearsal.pending
        nonce = next_nonce(mined, pending, self._mine_at, intent.lane, self._follower.stale)
        try:
            return nonce, self._fees_at(nonce, intent, rehearsal)
        except OutbidError:
            if not self._others_hold(nonce, intent):
                raise
        free = next_nonce(mined, pending, self._mine_at, Lane.ROUTINE)
        return free, self._fees_at(free, intent, rehearsal)

    def _fees_at(self, nonce: int, intent: Intent, rehearsal: Rehearsal) -> Fees:
        pooled = rehearsal.pending > nonce
        floor = fee_floor(self._mine_at(nonce), pooled=pooled, block=rehearsal.block_number)
        # what is in flight beside it has to be paid as well
        free_wei = max(0, rehearsal.balance_wei - committed_wei(self.open_attempts(), nonce))
        return self._fees(intent, replace(rehearsal, balance_wei=free_wei), floor)

    def _others_hold(self, nonce: int, intent: Intent) -> bool:
        """True if all that is in flight with the nonce is known to be of other vaults: then the order is free."""
        holders = {a.intent_id for a in self._mine_at(nonce) if a.status in OPEN}
        records = [self._book.intent(name) for name in (intent.id, *sorted(holders))]
        own, *theirs = [record.vault if record else "" for record in records]
        return bool(own and theirs) and all(vault not in ("", own) for vault in theirs)

    def _sign(self, intent: Intent, rehearsal: Rehearsal) -> Attempt:
        nonce, fees = self._place(intent, rehearsal)
        attempt = Attempt(
            intent_id=intent.id,
            chain_id=self._chain_id,
            account=self._account,
            to=intent.to,
            lane=intent.lane,
            nonce=nonce,
            tx_hash="",
            raw="",
            call_data=rehearsal.call_data,
            gas_limit=rehearsal.gas_limit,
            max_fee_wei=Wei(fees.cap_wei),
            tip_wei=Wei(fees.tip_wei),
            signed_block=rehearsal.block_number,
            deadline=intent.deadline,
            value_at_risk_wei=intent.value_at_risk_wei,
            needed_by=intent.needed_by,
        )
        return signed(attempt, self._signer)

    def _mine_at(self, nonce: int) -> tuple[Attempt, ...]:
        return self._book.attempts_at(self._chain_id, self._account, nonce)

    def _send(self, attempt: Attempt, rehearsal: Rehearsal) -> str:
        sent, fate, words = publish(
            self._outbox,
            self._book,
            attempt,
            self._replacements.lowered,
            first_block=first_offered(self._book, (attempt,)),
        )
        if fate is Fate.UNFUNDED:
            self._refused(sent, AttemptStatus.REFUSED, words)
            needed = sent.gas_limit * sent.max_fee_wei
            raise UnfundedError(self._account, rehearsal.balance_wei, needed)
        if fate in _NOT_OUT:
            # underpriced: the pool holds something with this nonce, so the next try must bid over it
            underpriced = fate is Fate.UNDERPRICED
            status = AttemptStatus.DROPPED if underpriced else AttemptStatus.REFUSED
            self._refused(sent, status, words)
            raise RejectedError(sent.tx_hash, words)
        if fate is Fate.ACCEPTED:
            self._book.mark(sent.tx_hash, AttemptStatus.SENT)
        else:  # nobody knows: it stays in flight, and following decides by mined nonce
            _log.warning("sent, fate unknown", tx=sent.tx_hash, endpoint_says=words)
        self._progress.reach(sent.intent_id, IntentState.ATTEMPTED)
        self._supersede(sent)
        return sent.tx_hash

    def _refused(self, attempt: Attempt, status: AttemptStatus, words: str) -> None:
        self._book.mark(attempt.tx_hash, status, words)
        self._progress.reach(attempt.intent_id, IntentState.FAILED, note=words)

    def _supersede(self, sent: Attempt) -> None:
        """Whatever else was in flight at its nonce gave way to it (K-05)."""
        dropped = AttemptStatus.DROPPED
        for rival in self._mine_at(sent.nonce):
            if rival.intent_id == sent.intent_id or rival.status not in OPEN:
                continue
            self._book.settle(
                AttemptResult(rival.intent_id, rival.tx_hash, dropped, None, 0, 0), dropped
            )
            note = f"gave way to {sent.intent_id}"
            self._progress.reach(rival.intent_id, IntentState.SUPERSEDED, note=note)
            _log.warning("superseded", intent=rival.intent_id, by=sent.intent_id)


def _what(intent: Intent) -> str:
    payload = intent.payload
    if isinstance(payload, Rebalance):
        return f"{len(payload.plan.moves)} moves"
    return f"a {type(payload).__name__.lower()}"
