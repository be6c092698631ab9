"""What a rollup asks for the data of a transaction beside its gas, behind one interface chosen by chain id.

OP stack: the GasPriceOracle predeploy says the fee of an unsigned transaction in wei, charged beside the gas.
Arbitrum: the NodeInterface says how much of the gas limit the data takes; the gas price pays for it.
Elsewhere there is none. No keeper transaction carries blobs.
"""

import re
from dataclasses import dataclass
from typing import Any, Protocol

import rlp  # type: ignore[import-untyped]
from eth_abi.abi import encode as abi_encode
from eth_utils.abi import function_signature_to_4byte_selector

from keeper.errors import EndpointError, RpcError

Request = tuple[str, list[Any]]
OP_STACK = frozenset({10, 130, 480, 1_868, 7_777_777, 8_453, 34_443, 57_073, 84_532, 11_155_420})
ARBITRUM = frozenset({42_161, 42_170, 421_614})
GAS_PRICE_ORACLE = "0x420000000000000000000000000000000000000F"
NODE_INTERFACE = "0x00000000000000000000000000000000000000C8"
_L1_FEE = function_signature_to_4byte_selector("getL1Fee(bytes)")
_L1_GAS = function_signature_to_4byte_selector("gasEstimateL1Component(address,bool,bytes)")
_MARGIN_BPS = 12_500
"""Data prices move between the estimate and the inclusion."""


@dataclass(frozen=True, slots=True)
class DataFee:
    """What the data of a transaction costs."""

    wei: int = 0
    """Charged beside the gas."""
    gas: int = 0
    """To be added to the gas limit."""


class DataFeeSource(Protocol):
    """One chain's way to price data."""

    def requests(self, chain_id: int, to: str, call_data: str, at: Any) -> list[Request]:
        """What to ask at a block, in the same batch as the simulation."""
        ...

    def read(self, answers: list[Any], endpoint: str) -> DataFee:
        """The fee, with a margin, rounded up; EndpointError for nonsense, RpcError where it was refused."""
        ...


class NoDataFee:
    """Gas is all there is to pay."""

    def requests(self, chain_id: int, to: str, call_data: str, at: Any) -> list[Request]:  # noqa: ARG002
        """Nothing to ask."""
        return []

    def read(self, answers: list[Any], endpoint: str) -> DataFee:  # noqa: ARG002
        """Nothing to pay."""
        return DataFee()


class OpStackDataFee:
    """GasPriceOracle.getL1Fee."""

    def requests(self, chain_id: int, to: str, call_data: str, at: Any) -> list[Request]:
        """The fee of the unsigned transaction, with numbers as long as they get."""
        data = _L1_FEE + abi_encode(["bytes"], [_unsigned(chain_id, to, call_data)])
        return [("eth_call", [{"to": GAS_PRICE_ORACLE, "data": "0x" + data.hex()}, at])]

    def read(self, answers: list[Any], endpoint: str) -> DataFee:
        """Wei beside the gas."""
        (fee,) = _words(answers[0], 1, endpoint)
        return DataFee(wei=_up(fee))


class ArbitrumDataFee:
    """NodeInterface.gasEstimateL1Component."""

    def requests(self, chain_id: int, to: str, call_data: str, at: Any) -> list[Request]:  # noqa: ARG002
        """The part of the gas limit that the data take."""
        arguments = [to, False, bytes.fromhex(call_data.removeprefix("0x"))]
        data = _L1_GAS + abi_encode(["address", "bool", "bytes"], arguments)
        return [("eth_call", [{"to": NODE_INTERFACE, "data": "0x" + data.hex()}, at])]

    def read(self, answers: list[Any], endpoint: str) -> DataFee:
        """Gas for the limit."""
        gas, _base_fee, _l1_base_fee = _words(answers[0], 3, endpoint)
        return DataFee(gas=_up(gas))


def data_fee_source(chain_id: int) -> DataFeeSource:
    """The way of a chain."""
    if chain_id in OP_STACK:
        return OpStackDataFee()
    return ArbitrumDataFee() if chain_id in ARBITRUM else NoDataFee()


def _words(answer: Any, words: int, endpoint: str) -> list[int]:
    """Static words of an answer, exactly as many as asked for."""
    if isinstance(answer, RpcError):
        raise answer
    if not isinstance(answer, str) or not re.fullmatch(rf"0x[0-9a-fA-F]{{{64 * words}}}", answer):
        raise EndpointError(endpoint, "eth_call", "answered no price of a transaction's data")
    return [int(answer[2 + 64 * i : 66 + 64 * i], 16) for i in range(words)]


def _unsigned(chain_id: int, to: str, call_data: str) -> bytes:
    nonce, fee, gas = 2**24 - 1, 2**40 - 1, 2**24 - 1
    data, receiver = (bytes.fromhex(text.removeprefix("0x")) for text in (call_data, to))
    encoded: bytes = rlp.encode([chain_id, nonce, fee, fee, gas, receiver, 0, data, []])
    return b"\x02" + encoded


def _up(value: int) -> int:
    return -(-value * _MARGIN_BPS // 10_000)
