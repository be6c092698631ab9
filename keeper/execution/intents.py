"""An intent: a plan bound to a block, a deadline and a maximum loss, with a deterministic id."""

from eth_abi.abi import encode as abi_encode
from eth_utils.crypto import keccak

from keeper.model.decision import Intent, Plan
from keeper.model.market import Readings

_ID_TYPES = (
    "uint256",
    "address",
    "bytes32",
    "(uint8,address,address,uint256,uint256)[]",
    "uint256",
)


def make_intent(plan: Plan, readings: Readings, counter: int, deadline_s: int) -> Intent:
    """The plan as the vault may apply it once, at most `deadline_s` after the pinned block.

    id = keccak(chain id, vault, block hash, moves, counter): the same decision gives the same id.
    """
    block = readings.block
    moves = [(int(m.kind), m.adapter, m.token, int(m.amount), int(m.min_out)) for m in plan.moves]
    block_hash = bytes.fromhex(block.hash.removeprefix("0x"))
    values = (readings.chain_id, readings.vault, block_hash, moves, counter)
    return Intent(
        id="0x" + keccak(abi_encode(_ID_TYPES, values)).hex(),
        vault=readings.vault,
        deadline=block.timestamp + deadline_s,
        max_loss=plan.max_loss,
        plan=plan,
        block_hash=block.hash,
    )
