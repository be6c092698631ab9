"""An intent: one call bound to a block and a deadline, with a deterministic id."""

from eth_utils.crypto import keccak

from keeper.execution import chores
from keeper.execution.encode import WORD, address, bytes32, sized, uint
from keeper.execution.simulate import moves
from keeper.execution.worth import NO_STAKE, Stake
from keeper.model.decision import Beat, Intent, Lane, Payload, Plan, Rebalance, Settle
from keeper.model.market import Readings

_HEAD_WORDS = 6
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
    return Intent(
        id="0x" + keccak(_name(payload, readings, to, counter)).hex(),
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


def _name(payload: Payload, readings: Readings, to: str, counter: int) -> bytes:
    """abi.encode(uint256 chain, address to, bytes32 block, string kind, bytes payload, uint256 counter)."""
    kind, said = sized(type(payload).__name__.encode()), sized(_digest(payload))
    head = _HEAD_WORDS * WORD
    words = (
        uint(readings.chain_id),
        address(to),
        bytes32(readings.block.hash),
        uint(head),
        uint(head + len(kind)),
        uint(counter),
    )
    return b"".join((*words, kind, said))


def _digest(payload: Payload) -> bytes:
    """What tells payloads of one kind apart: abi.encode(Move[], bytes32, uint256), or of a number."""
    if isinstance(payload, Rebalance):
        offset = uint(3 * WORD)
        rest = bytes32(payload.state_hash) + uint(payload.max_loss)
        return offset + rest + moves(payload.plan)
    if not isinstance(payload, Beat | Settle):
        return chores.data(payload)
    return uint(payload.last_beat if isinstance(payload, Beat) else payload.epoch)


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
