"""What is called, and the contract's answer before anything is signed: reverts as reasons with values."""

from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode as abi_decode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import collapse_if_tuple, function_signature_to_4byte_selector

from keeper.errors import RpcError
from keeper.execution import chores
from keeper.execution.encode import WORD, address, bytes32, uint
from keeper.model.decision import Beat, Intent, Plan, Rebalance, Settle

MOVES_TYPE = "(uint8,address,address,uint256,uint256,uint256)[]"
_REBALANCE = ("(bytes32,uint64,bytes32,uint256)", MOVES_TYPE)
_REBALANCE_SELECTOR = function_signature_to_4byte_selector(f"rebalance({','.join(_REBALANCE)})")
_BEAT_SELECTOR = function_signature_to_4byte_selector("beat()")
_SETTLE_SELECTOR = function_signature_to_4byte_selector("settle()")
_BUILT_IN: list[dict[str, Any]] = [
    {"type": "error", "name": "Error", "inputs": [{"name": "reason", "type": "string"}]},
    {"type": "error", "name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]},
]
_REVERT_CODE = 3
_TOO_SOON_SELECTOR = function_signature_to_4byte_selector("CooldownActive(uint256,uint256)").hex()


def call_data(intent: Intent) -> str:
    """Calldata of IVault.rebalance, IVault.settle, IMandate.beat or a chore, 0x-prefixed."""
    payload = intent.payload
    if not isinstance(payload, Rebalance | Beat | Settle):
        return "0x" + chores.data(payload).hex()
    if not isinstance(payload, Rebalance):
        return "0x" + (_BEAT_SELECTOR if isinstance(payload, Beat) else _SETTLE_SELECTOR).hex()
    head = (
        bytes32(intent.id),
        uint(intent.deadline, 64),
        bytes32(payload.state_hash),
        uint(payload.max_loss),
    )
    # the struct is static and lies in the head; the moves follow their offset
    offset = uint((len(head) + 1) * WORD)
    return "0x" + b"".join((_REBALANCE_SELECTOR, *head, offset, moves(payload.plan))).hex()


def moves(plan: Plan) -> bytes:
    """IVault.Move[] as ABI words: how many, then each in the order of its fields."""
    words = [uint(len(plan.moves))]
    for m in plan.moves:
        words += (
            uint(m.kind, 8),
            address(m.adapter),
            address(m.token),
            uint(m.amount),
            uint(m.limit),
            uint(m.target),
        )
    return b"".join(words)


def is_revert(error: RpcError) -> bool:
    """True if the contract refused, as opposed to the endpoint."""
    return error.code == _REVERT_CODE or "revert" in error.message.lower()


def ran_out_of_gas(error: RpcError) -> bool:
    """True if the call needed more gas than it was given, which some nodes tell without revert data."""
    text = error.message.lower()
    return any(words in text for words in ("out of gas", "outofgas", "gas required exceeds"))


def waits_until(error: RpcError) -> int | None:
    """Unix seconds from which the mandate may take what it refused with CooldownActive(until, timestamp)."""
    data = error.data.removeprefix("0x")
    if not data.startswith(_TOO_SOON_SELECTOR) or len(data) != 8 + 2 * 64:
        return None
    return int(data[8:72], 16)


@dataclass(frozen=True, slots=True)
class _KnownError:
    name: str
    names: tuple[str, ...]
    types: tuple[str, ...]


class ErrorBook:
    """Custom errors by selector, from the ABIs of everything a rebalance passes through."""

    def __init__(self, *abis: list[dict[str, Any]]) -> None:
        self._known: dict[str, _KnownError] = {}
        for entry in (e for abi in (_BUILT_IN, *abis) for e in abi if e.get("type") == "error"):
            types = tuple(collapse_if_tuple(i) for i in entry["inputs"])
            selector = function_signature_to_4byte_selector(f"{entry['name']}({','.join(types)})")
            names = tuple(i["name"] for i in entry["inputs"])
            self._known[selector.hex()] = _KnownError(entry["name"], names, types)

    def explain(self, error: RpcError) -> str:
        """`Name(field=value, ...)`, or the endpoint's words when the data say nothing."""
        data = error.data.removeprefix("0x")
        known = self._known.get(data[:8])
        if known is None:
            return f"unknown error 0x{data[:8]}" if len(data) >= 8 else error.message
        try:
            values = abi_decode(known.types, bytes.fromhex(data[8:]))
        except (DecodingError, ValueError, OverflowError):
            return known.name
        fields = ", ".join(
            f"{name}={_show(value)}" if name else _show(value)
            for name, value in zip(known.names, values, strict=True)
        )
        return f"{known.name}({fields})"


def _show(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
