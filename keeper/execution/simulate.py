"""The vault's answer before anything is signed: calldata, and reverts as readable reasons with values."""

from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import collapse_if_tuple, function_signature_to_4byte_selector

from keeper.errors import RpcError
from keeper.model.decision import Intent

_REBALANCE = ("(bytes32,uint64,uint256)", "(uint8,address,address,uint256,uint256)[]")
_REBALANCE_SELECTOR = function_signature_to_4byte_selector(f"rebalance({','.join(_REBALANCE)})")
_BUILT_IN: list[dict[str, Any]] = [
    {"type": "error", "name": "Error", "inputs": [{"name": "reason", "type": "string"}]},
    {"type": "error", "name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]},
]
_REVERT_CODE = 3


def call_data(intent: Intent) -> str:
    """Calldata of IVault.rebalance, 0x-prefixed."""
    moves = [
        (int(m.kind), m.adapter, m.token, int(m.amount), int(m.min_out)) for m in intent.plan.moves
    ]
    head = (bytes.fromhex(intent.id.removeprefix("0x")), intent.deadline, int(intent.max_loss))
    return "0x" + (_REBALANCE_SELECTOR + abi_encode(_REBALANCE, [head, moves])).hex()


def is_revert(error: RpcError) -> bool:
    """True if the contract refused, as opposed to the endpoint."""
    return error.code == _REVERT_CODE or "revert" in error.message.lower()


def ran_out_of_gas(error: RpcError) -> bool:
    """True if the call needed more gas than it was given, which some nodes tell without revert data."""
    text = error.message.lower()
    return any(words in text for words in ("out of gas", "outofgas", "gas required exceeds"))


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
