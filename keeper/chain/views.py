"""Single view functions as pinned calls: calldata by signature, answers by type."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eth_abi.abi import encode as abi_encode
from eth_utils.abi import function_signature_to_4byte_selector

from keeper.chain.gone import is_gone
from keeper.chain.source import Call, Source
from keeper.chain.words import plan
from keeper.errors import EndpointError, ReorganisedError, RpcError
from keeper.model.block import BlockStamp

Parameter = Mapping[str, Any]
BATCH = 100
"""What public endpoints take in one request."""


class View:
    """One view function of any contract."""

    def __init__(self, name: str, inputs: tuple[str, ...], *outputs: str | Parameter) -> None:
        self.name = name
        self._inputs = inputs
        self._selector = function_signature_to_4byte_selector(f"{name}({','.join(inputs)})")
        parameters: list[Parameter] = [
            {"type": o, "name": ""} if isinstance(o, str) else o for o in outputs
        ]
        self._decode: Callable[[bytes], tuple[Any, ...]] = plan(parameters)

    def call(self, to: str, block: BlockStamp, *values: Any) -> Call:
        """The call at a block, for a batch."""
        data = "0x" + (self._selector + abi_encode(self._inputs, values)).hex()
        return ("eth_call", [{"to": to, "data": data}, {"blockHash": block.hash}])

    def decode(self, answer: Any, endpoint: str, block: BlockStamp) -> tuple[Any, ...]:
        """The values; raises RpcError for a refusal, ReorganisedError or EndpointError."""
        if isinstance(answer, RpcError):
            raise ReorganisedError(block.hash) if is_gone(answer) else answer
        try:
            return self._decode(bytes.fromhex(str(answer).removeprefix("0x")))
        except (ValueError, OverflowError) as error:
            problem = f"answered what is no result of {self.name} ({error})"
            raise EndpointError(endpoint, "eth_call", problem) from error


def struct(**parts: str) -> Parameter:
    """A tuple of named parts."""
    return {
        "type": "tuple",
        "name": "",
        "components": [{"type": kind, "name": name} for name, kind in parts.items()],
    }


def in_batches(source: Source, calls: Sequence[Call]) -> list[Any]:
    """Agreed answers in order, in as few requests as hold them; none for none."""
    answers: list[Any] = []
    for start in range(0, len(calls), BATCH):
        answers += source.agreed_batch(list(calls[start : start + BATCH]))
    return answers
