"""Submits an intent: simulate, price, sign, journal, send; and looks after it until it is settled."""

import dataclasses
from typing import Any

import structlog

from keeper.errors import (
    EndpointError,
    FeeCeilingError,
    RejectedError,
    ReorganisedError,
    RpcError,
    SimulationReverted,
    UnfundedError,
)
from keeper.execution.fees import (
    Fees,
    GasPolicy,
    affordable,
    at_least,
    bumped,
    first_fees,
    with_margin,
)
from keeper.execution.follow import Follower
from keeper.execution.life import FollowPolicy
from keeper.execution.nonces import fee_floor, next_nonce
from keeper.execution.ports import AttemptBook, Rpc
from keeper.execution.send import Fate, broadcast
from keeper.execution.signer import Signer
from keeper.execution.simulate import ErrorBook, call_data, is_revert
from keeper.model.attempt import Attempt
from keeper.model.block import BlockStamp
from keeper.model.decision import Intent
from keeper.model.outcome import AttemptResult, AttemptStatus
from keeper.model.units import Wei

_log = structlog.get_logger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class _Rehearsal:
    """What one batch of reads says before signing."""

    call_data: str
    gas_limit: int
    base_fee_wei: int
    block_number: int
    balance_wei: int
    mined: int
    pending: int


class TransactionExecutor:
    """Executor over one endpoint and one account: at most one intent in flight (K-01)."""

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
    ) -> None:
        self._rpc = rpc
        self._book = book
        self._errors = errors
        self._chain_id = chain_id
        self._account = account
        self._signer = signer
        self._gas = gas or GasPolicy()
        self._follower = Follower(
            rpc,
            book,
            chain_id=chain_id,
            account=account,
            policy=follow or FollowPolicy(),
            replace=self._replacement,
        )

    def in_flight(self) -> int:
        """How many intents are not settled yet; survives a restart, because the journal knows."""
        if self._signer is None:
            return 0
        open_attempts = self._book.open_attempts(self._chain_id, self._account)
        return len({a.intent_id for a in open_attempts})

    def follow(self, block: BlockStamp) -> tuple[AttemptResult, ...]:
        """Settle, send again or bump what is in flight, as seen at `block`; never waits."""
        if self._signer is None:  # who cannot sign does not send either
            return ()
        return self._follower.follow(block)

    def rehearse(self, intent: Intent) -> str:
        """Everything short of signing: simulates and prices; says what would be sent."""
        rehearsal = self._rehearse(intent)
        fees = self._fees(intent, rehearsal, None)
        return (
            f"would send {len(intent.plan.moves)} moves, gas limit {rehearsal.gas_limit:,}, "
            f"max fee {fees.cap_wei / 1e9:.2f} gwei"
        )

    def submit(self, intent: Intent) -> str:
        """At most one effect: the hash of the transaction that was sent, or may have been."""
        known = self._book.attempts_of(intent.id)
        if known:
            return known[-1].tx_hash  # decided before: following it is all there is to do
        rehearsal = self._rehearse(intent)
        attempt = self._sign(intent, rehearsal)
        self._book.record_attempt(attempt)
        self._send(attempt, rehearsal)
        return attempt.tx_hash

    def _rehearse(self, intent: Intent) -> _Rehearsal:
        data = call_data(intent)
        limit = with_margin(intent.plan.gas_limit_estimate, self._gas)
        at = {"blockHash": intent.block_hash}
        call = {"from": self._account, "to": intent.vault, "data": data}
        header, simulated, balance, mined, pending = self._rpc.batch(
            [
                ("eth_getBlockByHash", [intent.block_hash, False]),
                ("eth_call", [{**call, "gas": hex(limit)}, at]),
                ("eth_getBalance", [self._account, "latest"]),
                ("eth_getTransactionCount", [self._account, "latest"]),
                ("eth_getTransactionCount", [self._account, "pending"]),
            ]
        )
        if header is None or isinstance(header, RpcError):
            raise ReorganisedError(intent.block_hash)
        if isinstance(simulated, RpcError) and is_revert(simulated):
            limit = self._estimated(call, at, simulated)
            simulated = None
        for result in (simulated, balance, mined, pending):
            if isinstance(result, RpcError):
                raise result
        try:
            return _Rehearsal(
                call_data=data,
                gas_limit=limit,
                base_fee_wei=int(header.get("baseFeePerGas", "0x0"), 16),
                block_number=int(header["number"], 16),
                balance_wei=int(balance, 16),
                mined=int(mined, 16),
                pending=int(pending, 16),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            problem = "answered something that is not a quantity"
            raise EndpointError(self._rpc.name, "eth_getTransactionCount", problem) from error

    def _estimated(self, call: dict[str, str], at: dict[str, str], first: RpcError) -> int:
        """Gas limit by the node, for a call that failed with the plan's own: was it only the gas?

        The plan's estimate is tried first, because a node executes a call once and an estimate many times.
        """
        try:
            estimate = self._rpc.call("eth_estimateGas", [call, at])
            return with_margin(int(estimate, 16), self._gas)
        except RpcError as error:
            if not is_revert(error):
                raise
            told = first if len(first.data) > len(error.data) else error
            raise SimulationReverted(self._errors.explain(told)) from None
        except (TypeError, ValueError) as error:
            problem = "answered something that is not a quantity"
            raise EndpointError(self._rpc.name, "eth_estimateGas", problem) from error

    def _fees(self, intent: Intent, rehearsal: _Rehearsal, floor: Fees | None) -> Fees:
        lane = intent.plan.lane
        base = rehearsal.base_fee_wei
        fees = first_fees(base, lane, self._gas)
        if fees is not None and floor is not None:
            replacement = bumped(floor, base, lane, self._gas)
            fees = at_least(fees, replacement) if replacement else None
        if fees is None:
            raise FeeCeilingError(base, self._gas.routine_ceiling_wei)
        payable = affordable(fees, base, rehearsal.gas_limit, rehearsal.balance_wei)
        if payable is None:
            needed = rehearsal.gas_limit * fees.cap_wei
            raise UnfundedError(self._account, rehearsal.balance_wei, needed)
        return payable

    def _sign(self, intent: Intent, rehearsal: _Rehearsal) -> Attempt:
        earlier = self._book.attempts_at(self._chain_id, self._account, rehearsal.mined)
        nonce = next_nonce(rehearsal.mined, rehearsal.pending, earlier)
        fees = self._fees(intent, rehearsal, fee_floor(earlier))
        return self._signed(
            Attempt(
                intent_id=intent.id,
                chain_id=self._chain_id,
                account=self._account,
                vault=intent.vault,
                lane=intent.plan.lane,
                nonce=nonce,
                tx_hash="",
                raw="",
                call_data=rehearsal.call_data,
                gas_limit=rehearsal.gas_limit,
                max_fee_wei=Wei(fees.cap_wei),
                tip_wei=Wei(fees.tip_wei),
                signed_block=rehearsal.block_number,
                deadline=intent.deadline,
            )
        )

    def _signed(self, attempt: Attempt) -> Attempt:
        if self._signer is None:
            raise RejectedError("", "there is no key: this keeper only rehearses")
        transaction: dict[str, Any] = {
            "type": 2,
            "chainId": attempt.chain_id,
            "nonce": attempt.nonce,
            "to": attempt.vault,
            "value": 0,
            "data": attempt.call_data,
            "gas": attempt.gas_limit,
            "maxFeePerGas": attempt.max_fee_wei,
            "maxPriorityFeePerGas": attempt.tip_wei,
        }
        signed = self._signer.sign(transaction)
        return dataclasses.replace(
            attempt, tx_hash=signed.tx_hash, raw=signed.raw, status=AttemptStatus.SIGNED
        )

    def _send(self, attempt: Attempt, rehearsal: _Rehearsal) -> None:
        fate, words = broadcast(self._rpc, attempt.raw)
        if fate is Fate.ACCEPTED:
            self._book.mark(attempt.tx_hash, AttemptStatus.SENT)
        elif fate is Fate.UNFUNDED:
            self._book.mark(attempt.tx_hash, AttemptStatus.REFUSED, words)
            needed = attempt.gas_limit * attempt.max_fee_wei
            raise UnfundedError(self._account, rehearsal.balance_wei, needed)
        elif fate in (Fate.REFUSED, Fate.UNDERPRICED):
            # underpriced: the pool holds something with this nonce, so the next try must bid over it
            refused = fate is Fate.REFUSED
            status = AttemptStatus.REFUSED if refused else AttemptStatus.DROPPED
            self._book.mark(attempt.tx_hash, status, words)
            raise RejectedError(attempt.tx_hash, words)
        else:  # nobody knows: it stays in flight, and following decides by mined nonce
            _log.warning("sent, fate unknown", tx=attempt.tx_hash, endpoint_says=words)

    def _replacement(self, last: Attempt, block: BlockStamp) -> Attempt | None:
        """The same intent and nonce at a higher fee; None if the lane's ceiling forbids it."""
        before = Fees(last.max_fee_wei, last.tip_wei)
        fees = bumped(before, block.base_fee_wei, last.lane, self._gas)
        if fees is None or self._signer is None:
            return None
        return self._signed(
            dataclasses.replace(
                last,
                max_fee_wei=Wei(fees.cap_wei),
                tip_wei=Wei(fees.tip_wei),
                signed_block=block.number,
            )
        )
