"""Submits an intent: simulate, price, sign, journal, send; and looks after it until it is settled."""

import dataclasses
from typing import Any

import structlog

from keeper.errors import (
    EndpointError,
    FeeCeilingError,
    OutbidError,
    RejectedError,
    ReorganisedError,
    RpcError,
    SimulationReverted,
    TooSoonError,
    UnfundedError,
)
from keeper.execution.fees import (
    Fees,
    GasPolicy,
    affordable,
    at_least,
    bumped,
    first_fees,
    least_replacement,
    most,
    with_margin,
)
from keeper.execution.follow import Follower
from keeper.execution.life import FollowPolicy
from keeper.execution.nonces import Floor, fee_floor, next_nonce
from keeper.execution.ports import AttemptBook, Rpc
from keeper.execution.quantities import count, quantity
from keeper.execution.send import Fate, publish
from keeper.execution.signer import Signer
from keeper.execution.simulate import (
    ErrorBook,
    call_data,
    is_revert,
    ran_out_of_gas,
    waits_until,
)
from keeper.model.attempt import Attempt
from keeper.model.block import BlockStamp
from keeper.model.decision import Intent, Rebalance
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
        self._routine_waits_until = 0
        self._follower = Follower(
            rpc,
            book,
            chain_id=chain_id,
            account=account,
            policy=follow or FollowPolicy(),
            replace=self._replacement,
            lowered=self._lowered,
        )

    def routine_waits_until(self) -> int:
        """When the mandate takes routine rebalances again, as a simulation last heard; 0 if it said nothing."""
        return self._routine_waits_until

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
            f"would send {_what(intent)}, gas limit {rehearsal.gas_limit:,}, "
            f"max fee {fees.cap_wei / 1e9:.2f} gwei"
        )

    def submit(self, intent: Intent) -> str:
        """At most one effect: the hash of the transaction that was sent, or may have been."""
        known = self._book.attempts_of(intent.id)
        if known:
            return known[-1].tx_hash  # decided before: following it is all there is to do
        rehearsal = self._rehearse(intent)
        return self._send(self._sign(intent, rehearsal), rehearsal)

    def _rehearse(self, intent: Intent) -> _Rehearsal:
        data = call_data(intent)
        limit = with_margin(intent.gas_limit_estimate, self._gas)
        at = {"blockHash": intent.block_hash}
        call = {"from": self._account, "to": intent.to, "data": data}
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
        if isinstance(simulated, RpcError) and (is_revert(simulated) or ran_out_of_gas(simulated)):
            limit = self._estimated(call, at, simulated)
            simulated = None
        for result in (simulated, balance, mined, pending):
            if isinstance(result, RpcError):
                raise result
        if not isinstance(header, dict):
            raise EndpointError(self._rpc.name, "eth_getBlockByHash", "answered no block")
        name, counts = self._rpc.name, "eth_getTransactionCount"
        base_fee = header.get("baseFeePerGas", "0x0")
        return _Rehearsal(
            call_data=data,
            gas_limit=limit,
            base_fee_wei=quantity(base_fee, name, "eth_getBlockByHash"),
            block_number=count(header.get("number"), name, "eth_getBlockByHash"),
            balance_wei=quantity(balance, name, "eth_getBalance"),
            mined=count(mined, name, counts),
            pending=count(pending, name, counts),
        )

    def _estimated(self, call: dict[str, str], at: dict[str, str], first: RpcError) -> int:
        """Gas limit by the node, for a call that failed with the plan's own: was it only the gas?

        The plan's estimate is tried first, because a node executes a call once and an estimate many times.
        """
        try:
            estimate = self._rpc.call("eth_estimateGas", [call, at])
        except RpcError as error:
            if not is_revert(error) and not ran_out_of_gas(error):
                raise
            told = first if len(first.data) > len(error.data) else error
            until, reason = waits_until(told), self._errors.explain(told)
            if until is not None:
                self._routine_waits_until = until
                raise TooSoonError(reason, until) from None
            raise SimulationReverted(reason) from None
        return with_margin(count(estimate, self._rpc.name, "eth_estimateGas"), self._gas)

    def _fees(self, intent: Intent, rehearsal: _Rehearsal, floor: Floor | None) -> Fees:
        lane, policy = intent.lane, self._gas
        base, limit, balance = rehearsal.base_fee_wei, rehearsal.gas_limit, rehearsal.balance_wei
        first = first_fees(base, lane, policy)
        if first is None:
            raise FeeCeilingError(base, policy.routine_ceiling_wei)
        fees = affordable(first, base, limit, balance, policy.balance_share_bps)
        if fees is None:
            raise UnfundedError(self._account, balance, limit * first.cap_wei)
        if floor is None:
            return fees
        bound = most(base, lane, limit, balance, policy)
        raised = bumped(floor.fees, base, bound, policy)
        if raised is not None:
            return at_least(fees, raised)
        if floor.certain:
            least = least_replacement(floor.fees, policy)
            raise OutbidError(
                rehearsal.mined, least.cap_wei, least.tip_wei, bound.cap_wei, bound.tip_wei
            )
        return fees  # the endpoint's pool is empty: what another may hold is not worth more than the bound

    def _sign(self, intent: Intent, rehearsal: _Rehearsal) -> Attempt:
        earlier = self._book.attempts_at(self._chain_id, self._account, rehearsal.mined)
        nonce = next_nonce(rehearsal.mined, rehearsal.pending, earlier)
        pooled = rehearsal.pending > rehearsal.mined
        floor = fee_floor(earlier, pooled=pooled, block=rehearsal.block_number)
        fees = self._fees(intent, rehearsal, floor)
        return self._signed(
            Attempt(
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
            )
        )

    def _signed(self, attempt: Attempt) -> Attempt:
        if self._signer is None:
            raise RejectedError("", "there is no key: this keeper only rehearses")
        transaction: dict[str, Any] = {
            "type": 2,
            "chainId": attempt.chain_id,
            "nonce": attempt.nonce,
            "to": attempt.to,
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

    def _send(self, signed: Attempt, rehearsal: _Rehearsal) -> str:
        attempt, fate, words = publish(self._rpc, self._book, signed, self._lowered)
        if fate is Fate.ACCEPTED:
            self._book.mark(attempt.tx_hash, AttemptStatus.SENT)
        elif fate is Fate.UNFUNDED:
            self._book.mark(attempt.tx_hash, AttemptStatus.REFUSED, words)
            needed = attempt.gas_limit * attempt.max_fee_wei
            raise UnfundedError(self._account, rehearsal.balance_wei, needed)
        elif fate in (Fate.REFUSED, Fate.OVER_CAP, Fate.UNDERPRICED):
            # underpriced: the pool holds something with this nonce, so the next try must bid over it
            underpriced = fate is Fate.UNDERPRICED
            status = AttemptStatus.DROPPED if underpriced else AttemptStatus.REFUSED
            self._book.mark(attempt.tx_hash, status, words)
            raise RejectedError(attempt.tx_hash, words)
        else:  # nobody knows: it stays in flight, and following decides by mined nonce
            _log.warning("sent, fate unknown", tx=attempt.tx_hash, endpoint_says=words)
        return attempt.tx_hash

    def _replacement(self, last: Attempt, block: BlockStamp) -> Attempt | None:
        """The same intent and nonce at a higher fee; None if that would be over the lane's bound."""
        if self._signer is None:
            return None
        try:
            balance = self._rpc.call("eth_getBalance", [self._account, "latest"])
        except RpcError:
            return None  # without a balance there is no bound: the same is sent again
        held = quantity(balance, self._rpc.name, "eth_getBalance")
        bound = most(block.base_fee_wei, last.lane, last.gas_limit, held, self._gas)
        before = Fees(last.max_fee_wei, last.tip_wei)
        fees = bumped(before, block.base_fee_wei, bound, self._gas)
        if fees is None:
            return None
        return self._repriced(dataclasses.replace(last, signed_block=block.number), fees)

    def _lowered(self, attempt: Attempt, cap_wei: int) -> Attempt | None:
        """The same under a lower max fee; None if it is under it already."""
        if not 0 < cap_wei < attempt.max_fee_wei:
            return None
        return self._repriced(attempt, Fees(cap_wei, min(attempt.tip_wei, cap_wei)))

    def _repriced(self, attempt: Attempt, fees: Fees) -> Attempt:
        return self._signed(
            dataclasses.replace(attempt, max_fee_wei=Wei(fees.cap_wei), tip_wei=Wei(fees.tip_wei))
        )


def _what(intent: Intent) -> str:
    payload = intent.payload
    if isinstance(payload, Rebalance):
        return f"{len(payload.plan.moves)} moves"
    return f"a {type(payload).__name__.lower()}"
