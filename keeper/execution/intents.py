"""An intent: one call bound to a block and a deadline, with a deterministic id."""

from eth_abi.abi import encode as abi_encode
from eth_utils.crypto import keccak

from keeper.execution import chores
from keeper.execution.simulate import MOVES_TYPE, moves
from keeper.execution.worth import NO_STAKE, Stake
from keeper.model.decision import Beat, Intent, Lane, Payload, Plan, Rebalance, Settle
from keeper.model.market import Readings

_ID_TYPES = ("uint256", "address", "bytes32", "string", "bytes", "uint256")
GAS_OF_BEAT = 80_000
GAS_OF_SETTLE = 700_000
"""Half over what forked protocols measure without options; the simulation gives the true figure."""


def rebalance_of(plan: Plan, readings: Readings) -> Rebalance:
    """The plan, for the vault in the state it was read in."""
    return Rebalance(plan, readings.mandate.state_hash, plan.max_loss)


def make_intent(
    payload: Payload, readings: Readings, counter: int, deadline_s: int, stake: Stake = NO_STAKE
) -> Intent:
    """The payload as it may take effect once, at most `deadline_s` after the pinned block.

    id = keccak(chain id, receiver, block hash, payload, counter): the same decision gives the same id.
    """
    block = readings.block
    to = _receiver(payload, readings)
    block_hash = bytes.fromhex(block.hash.removeprefix("0x"))
    values = (readings.chain_id, to, block_hash, type(payload).__name__, _digest(payload), counter)
    return Intent(
        id="0x" + keccak(abi_encode(_ID_TYPES, values)).hex(),
        to=to,
        lane=payload.plan.lane if isinstance(payload, Rebalance) else Lane.ROUTINE,
        deadline=block.timestamp + deadline_s,
        block_hash=block.hash,
        gas_limit_estimate=_gas(payload),
        reason=_reason(payload, block.timestamp),
        payload=payload,
        value_at_risk_wei=stake.value_at_risk_wei,
        needed_by=stake.needed_by,
    )


def _receiver(payload: Payload, readings: Readings) -> str:
    if isinstance(payload, Beat):
        return payload.mandate
    if isinstance(payload, Rebalance | Settle):
        return readings.vault
    return chores.receiver(payload)


def _digest(payload: Payload) -> bytes:
    """What tells payloads of one kind apart."""
    if isinstance(payload, Rebalance):
        state = bytes.fromhex(payload.state_hash.removeprefix("0x"))
        values = (moves(payload.plan), state, int(payload.max_loss))
        return abi_encode((MOVES_TYPE, "bytes32", "uint256"), values)
    if not isinstance(payload, Beat | Settle):
        return chores.data(payload)
    number = payload.last_beat if isinstance(payload, Beat) else payload.epoch
    return abi_encode(("uint256",), (number,))


def _gas(payload: Payload) -> int:
    if isinstance(payload, Rebalance):
        return payload.plan.gas_limit_estimate
    if isinstance(payload, Beat):
        return GAS_OF_BEAT
    return GAS_OF_SETTLE if isinstance(payload, Settle) else chores.gas(payload)


def _reason(payload: Payload, now: int) -> str:
    if isinstance(payload, Rebalance):
        return payload.plan.reason
    if isinstance(payload, Settle):
        return f"epoch {payload.epoch} is over and requests wait: settle it"
    if not isinstance(payload, Beat):
        return chores.reason(payload)
    return f"the last beat is {now - payload.last_beat} s old: beat"
