"""What is sent in the place of an attempt in flight: the same again, the same dearer, or nothing at all."""

import dataclasses

import structlog

from keeper.errors import ConflictError, QuorumError, RpcError, SigningError
from keeper.execution.fate import Fate
from keeper.execution.fee_history import FeeHistory, history_call, history_heard
from keeper.execution.fees import Ask, Fees, GasPolicy, bumped, most, most_to_cancel
from keeper.execution.inclusion import (
    InclusionModel,
    UrgencyPolicy,
    blocks_left,
    latest_start,
    urgent_tip,
)
from keeper.execution.outbox import Outbox, first_offered, publish
from keeper.execution.ports import AttemptBook, Rpc, agreed
from keeper.execution.progress import Progress
from keeper.execution.quantities import quantity
from keeper.execution.queue import committed_wei, urge_of
from keeper.execution.signer import Signer
from keeper.execution.signing import EMPTY_GAS, emptied, repriced, signed
from keeper.model.attempt import Attempt
from keeper.model.block import BlockStamp
from keeper.model.decision import Lane
from keeper.model.intent_state import IntentState
from keeper.model.outcome import AttemptStatus

_log = structlog.get_logger(__name__)


def urgency(
    history: FeeHistory | None,
    lane: Lane,
    now: int,
    needed_by: int,
    policy: UrgencyPolicy,
) -> int:
    """Least tip that is in by its deadline as surely as configured; 0 where nothing is known, or for routine."""
    if history is None or lane is not Lane.PROTECTIVE:
        return 0
    model = InclusionModel(history.required_tips_wei)
    tip = urgent_tip(model, now, needed_by, policy)
    if latest_start(model, tip, needed_by, policy) < now:
        chance = model.odds(tip).within(blocks_left(now, needed_by, policy))
        _log.warning("protection may be late", chance=round(chance, 3), needed_by=needed_by)
    return tip


class Replacements:
    """Every replacement has the nonce of what it replaces, so at most one of them is mined (K-01)."""

    def __init__(
        self,
        rpc: Rpc,
        book: AttemptBook,
        outbox: Outbox,
        signer: Signer | None,
        *,
        account: str,
        gas: GasPolicy,
        urgent: UrgencyPolicy,
    ) -> None:
        self._rpc = rpc
        self._book = book
        self._outbox = outbox
        self._signer = signer
        self._account = account
        self._gas = gas
        self._urgent = urgent
        self._progress = Progress(book, account)

    def resend(self, last: Attempt, attempts: tuple[Attempt, ...], block_number: int) -> None:
        """The same bytes, to everybody again."""
        first = first_offered(self._book, attempts)
        fate, words = self._outbox.send(last, block_number=block_number, first_block=first)
        if fate is Fate.ACCEPTED:
            if last.status is AttemptStatus.SIGNED:
                self._book.mark(last.tx_hash, AttemptStatus.SENT)
            self._progress.reach(last.intent_id, IntentState.ATTEMPTED)
        elif fate is Fate.WITHHELD:
            _log.warning("held back", intent=last.intent_id, why=words)
        elif fate is not Fate.NONCE_USED:
            say = _log.error if fate is Fate.UNFUNDED else _log.warning
            say("sent again", intent=last.intent_id, tx=last.tx_hash, endpoint_says=words)

    def bump(self, last: Attempt, attempts: tuple[Attempt, ...], block: BlockStamp) -> None:
        """The same at higher fees; unchanged where the bound, the balance or the signer does not allow it."""
        fees = self._higher(last, block, last.gas_limit if last.cancels else None)
        self._replace(repriced(last, fees) if fees else None, last, attempts, block)

    def cancel(self, last: Attempt, attempts: tuple[Attempt, ...], block: BlockStamp) -> None:
        """The empty transaction at higher fees; what is in flight stays if it cannot be paid."""
        gas = self._gas_of_nothing()
        fees = self._higher(last, block, gas)
        empty = emptied(last, fees, block, gas) if fees else None
        self._replace(empty, last, attempts, block)

    def lowered(self, attempt: Attempt, cap_wei: int) -> Attempt | None:
        """The same under a lower max fee; None if it is under it already, or cannot be signed."""
        if not 0 < cap_wei < attempt.max_fee_wei:
            return None
        fees = Fees(cap_wei, min(attempt.tip_wei, cap_wei))
        try:
            return signed(repriced(attempt, fees), self._signer)
        except SigningError as error:  # the dearer one is in the journal, and is followed
            _log.error("cannot be lowered", intent=attempt.intent_id, problem=str(error))
            return None

    def _replace(
        self,
        replacement: Attempt | None,
        last: Attempt,
        attempts: tuple[Attempt, ...],
        block: BlockStamp,
    ) -> None:
        try:
            new = replacement and signed(
                dataclasses.replace(replacement, signed_block=block.number), self._signer
            )
        except SigningError as error:
            _log.error("cannot be replaced", intent=last.intent_id, problem=str(error))
            new = None
        if new is None:
            self.resend(last, attempts, block.number)
            return
        first = first_offered(self._book, attempts)
        sent, fate, words = publish(self._outbox, self._book, new, self.lowered, first_block=first)
        if fate is Fate.ACCEPTED:
            self._book.mark(sent.tx_hash, AttemptStatus.SENT)
            what = "cancelling" if sent.cancels else "fee raised"
            _log.info(what, intent=last.intent_id, tx=sent.tx_hash)
        elif fate in (Fate.UNKNOWN, Fate.NONCE_USED):
            _log.warning("replacement sent, fate unknown", intent=last.intent_id, words=words)
        else:
            # the pool keeps the earlier one: send that again, unchanged, without climbing further
            say = _log.error if fate is Fate.UNFUNDED else _log.warning
            say("replacement refused", intent=last.intent_id, endpoint_says=words)
            self._book.mark(sent.tx_hash, AttemptStatus.REFUSED, words)
            self.resend(last, attempts, block.number)

    def _higher(
        self, last: Attempt, block: BlockStamp, empty_gas: int | None = None
    ) -> Fees | None:
        """Fees of a replacement; None if they would be over the bound, or without a balance to bound them.

        empty_gas: the gas limit of the replacement, if that is the empty transaction.
        """
        asked = [("eth_getBalance", [self._account, {"blockHash": block.hash}])]
        try:
            balance, heard = self._rpc.agreed_batch(asked, [history_call()])
        except (ConflictError, QuorumError) as error:
            _log.error("the balance is not known: no replacement", problem=str(error))
            return None
        if isinstance(balance, RpcError):
            return None
        in_flight = self._book.open_attempts(last.chain_id, self._account)
        held = quantity(balance, self._rpc.name, "eth_getBalance")
        held = max(0, held - committed_wei(in_flight, last.nonce))
        urge = urge_of(last, in_flight)
        history = history_heard(heard)
        tip = urgency(history, urge.lane, block.timestamp, urge.needed_by, self._urgent)
        base = block.base_fee_wei
        if empty_gas is None:
            ask = Ask(urge.lane, last.gas_limit, urge.value_at_risk_wei, tip)
            bound = most(base, ask, held, self._gas)
        else:
            bound = most_to_cancel(base, empty_gas, last, held, self._gas)
        before = Fees(last.max_fee_wei, last.tip_wei)
        return bumped(before, base, bound, self._gas, tip)

    def _gas_of_nothing(self) -> int:
        """Gas of the empty transaction; rollups count its data too."""
        call = {"from": self._account, "to": self._account, "value": "0x0"}
        try:
            estimate = agreed(self._rpc, "eth_estimateGas", [call])
        except (RpcError, ConflictError, QuorumError):
            return EMPTY_GAS
        return max(EMPTY_GAS, quantity(estimate, self._rpc.name, "eth_estimateGas"))
