"""One batch of reads before signing: would the contracts take it, and what does the market ask for it?"""

import dataclasses
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from keeper.errors import (
    EndpointError,
    ReorganisedError,
    RpcError,
    SimulationReverted,
    TooSoonError,
)
from keeper.execution.data_fee import DataFee, DataFeeSource, data_fee_source
from keeper.execution.fee_history import FeeHistory, history_call, history_heard
from keeper.execution.fees import GasPolicy, with_margin
from keeper.execution.hints import vouched
from keeper.execution.ports import Rpc, agreed
from keeper.execution.quantities import count, quantity
from keeper.execution.simulate import (
    ErrorBook,
    call_data,
    is_revert,
    ran_out_of_gas,
    waits_until,
)
from keeper.model.decision import Intent

_Call = tuple[str, list[Any]]
_LONGEST_POOL = 10_000
"""No pool holds more transactions of one account. The next free nonce is looked for one by one."""
_FIXED = 4
"""Requests of a batch before those for the data fee."""


@dataclasses.dataclass(frozen=True, slots=True)
class Rehearsal:
    """What the batch says."""

    call_data: str
    gas_limit: int
    base_fee_wei: int
    block_number: int
    timestamp: int
    balance_wei: int
    """Less what the data of the transaction cost on a rollup."""
    mined: int
    """Transaction count, as the balance at the block of the intent: what it is bound to."""
    pending: int
    """The same with the pools; a hint. A false one is no higher than the truth (see hints): at worst the nonce is
    one that a pool holds for somebody else, and the next try bids over it."""
    history: FeeHistory | None
    """A hint. It raises the tip no further than the policy or the value at risk allow, and lowers nothing."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Said:
    """Answers of the batch that are still to be read."""

    header: dict[str, Any]
    balance: Any
    mined: Any
    pending: tuple[Any, ...]
    history: tuple[Any, ...]
    data_fee: list[Any]


class Rehearser:
    """Simulates intents of one account at their own block."""

    def __init__(
        self, rpc: Rpc, errors: ErrorBook, gas: GasPolicy, *, chain_id: int, account: str
    ) -> None:
        self._rpc = rpc
        self._errors = errors
        self._gas = gas
        self._chain_id = chain_id
        self._account = account
        self._data_fee: DataFeeSource = data_fee_source(chain_id)
        self._routine_waits_until: dict[str, int] = {}
        self._begun: tuple[str, dict[str, str], Callable[[], list[Any]]] | None = None

    def routine_waits_until(self, vault: str | None = None) -> int:
        """Unix seconds, as a simulation last heard of that vault's mandate, or of any; 0 if it said nothing."""
        if vault is None:
            return max(self._routine_waits_until.values(), default=0)
        return self._routine_waits_until.get(vault, 0)

    def begin(self, intent: Intent, threads: Executor) -> None:
        """Ask already what `rehearse` will ask: reading commits to nothing (K-03).

        From another thread where it must be waited for: one nearby endpoint has answered before a thread has begun.
        """
        limit = with_margin(intent.gas_limit_estimate, self._gas)
        call = self._call(intent)
        agreed, hints = self._requests(intent, call, limit)
        begin = getattr(self._rpc, "begin", None)
        waits = begin(agreed, hints) if begin is not None else None
        if waits is None:
            waits = threads.submit(self._rpc.agreed_batch, agreed, hints).result
        self._begun = intent.id, call, waits

    def rehearse(self, intent: Intent) -> Rehearsal:
        """Raises SimulationReverted, or a ReadError: ReorganisedError, ConflictError, EndpointError ..."""
        limit = with_margin(intent.gas_limit_estimate, self._gas)
        at = {"blockHash": intent.block_hash}
        begun, self._begun = self._begun, None
        if begun is not None and begun[0] == intent.id:
            call, answers = begun[1], begun[2]()
        else:
            call = self._call(intent)
            answers = self._rpc.agreed_batch(*self._requests(intent, call, limit))
        header, simulated, balance, mined = answers[:_FIXED]
        *data_fee, pending, history = answers[_FIXED:]
        if header is None or isinstance(header, RpcError):
            raise ReorganisedError(intent.block_hash)
        if isinstance(simulated, RpcError) and (is_revert(simulated) or ran_out_of_gas(simulated)):
            limit = max(limit, self._estimated(call, at, simulated))
            simulated = None
        for result in (simulated, balance, mined):
            if isinstance(result, RpcError):
                raise result
        if not isinstance(header, dict):
            raise EndpointError(self._rpc.name, "eth_getBlockByHash", "answered no block")
        said = _Said(header, balance, mined, pending, history, data_fee)
        return self._read(call["data"], limit, said)

    def _call(self, intent: Intent) -> dict[str, str]:
        return {"from": self._account, "to": intent.to, "data": call_data(intent)}

    def _requests(
        self, intent: Intent, call: dict[str, str], limit: int
    ) -> tuple[list[_Call], list[_Call]]:
        """What is agreed on, pinned to the block of the intent, and the hints."""
        at = {"blockHash": intent.block_hash}
        return [
            ("eth_getBlockByHash", [intent.block_hash, False]),
            ("eth_call", [{**call, "gas": hex(limit)}, at]),
            ("eth_getBalance", [self._account, at]),
            ("eth_getTransactionCount", [self._account, at]),
            *self._data_fee.requests(self._chain_id, intent.to, call["data"], at),
        ], [("eth_getTransactionCount", [self._account, "pending"]), history_call()]

    def _read(self, data: str, limit: int, said: _Said) -> Rehearsal:
        name, counts, block = self._rpc.name, "eth_getTransactionCount", "eth_getBlockByHash"
        header, mined = said.header, count(said.mined, self._rpc.name, counts)
        extra: DataFee = self._data_fee.read(said.data_fee, name)
        return Rehearsal(
            call_data=data,
            gas_limit=limit + extra.gas,
            base_fee_wei=quantity(header.get("baseFeePerGas", "0x0"), name, block),
            block_number=count(header.get("number"), name, block),
            timestamp=count(header.get("timestamp", "0x0"), name, block),
            balance_wei=max(0, quantity(said.balance, name, "eth_getBalance") - extra.wei),
            mined=mined,
            pending=_pending(mined, said.pending, name),
            history=history_heard(said.history),
        )

    def _estimated(self, call: dict[str, str], at: dict[str, str], first: RpcError) -> int:
        """Gas limit by the node, for a call that failed with the plan's own: was it only the gas?

        The plan's estimate is tried first, because a node executes a call once and an estimate many times.
        """
        try:
            estimate = agreed(self._rpc, "eth_estimateGas", [call, at])
        except RpcError as error:
            if not is_revert(error) and not ran_out_of_gas(error):
                raise
            told = first if len(first.data) > len(error.data) else error
            until, reason = waits_until(told), self._errors.explain(told)
            if until is not None:
                self._routine_waits_until[call["to"]] = until
                raise TooSoonError(reason, until) from None
            raise SimulationReverted(reason) from None
        return with_margin(count(estimate, self._rpc.name, "eth_estimateGas"), self._gas)


def _pending(mined: int, said: tuple[Any, ...], name: str) -> int:
    """What the pools reach; EndpointError for what none can."""
    found = max(mined, vouched(_counts(said, name)) or 0)
    if found - mined > _LONGEST_POOL:
        raise EndpointError(name, "eth_getTransactionCount", "answered more than a pool can hold")
    return found


def _counts(said: tuple[Any, ...], name: str) -> list[int | None]:
    """Pending counts; a lone endpoint's refusal or nonsense is raised, for there is nobody else to ask."""
    method = "eth_getTransactionCount"
    if len(said) == 1:
        (only,) = said
        if isinstance(only, RpcError):
            raise only
        return [count(only, name, method)]
    found: list[int | None] = []
    for one in said:
        try:
            found.append(None if isinstance(one, RpcError) else count(one, name, method))
        except EndpointError:
            found.append(None)
    return found
