"""Data fees of rollups behind one interface chosen by chain id, and fee histories as endpoints answer them."""

from typing import Any

import pytest
from eth_abi.abi import decode, encode

from keeper.errors import EndpointError, RpcError
from keeper.execution.data_fee import (
    GAS_PRICE_ORACLE,
    NODE_INTERFACE,
    DataFee,
    data_fee_source,
)
from keeper.execution.fee_history import PERCENTILES, history_call, history_of
from keeper.model.address import checked_address

AT = {"blockHash": "0x" + "b1" * 32}
TO = checked_address("0x" + "7a" * 20)


@pytest.mark.parametrize("chain_id", [1, 31_337, 137])
def test_elsewhere_gas_is_all_there_is_to_pay(chain_id: int) -> None:
    source = data_fee_source(chain_id)
    assert source.requests(chain_id, TO, "0x01", AT) == []
    assert source.read([], "e") == DataFee(0, 0)


@pytest.mark.parametrize("chain_id", [10, 8_453])
def test_on_the_op_stack_the_oracle_prices_the_unsigned_transaction(chain_id: int) -> None:
    source = data_fee_source(chain_id)
    ((method, (call, at)),) = source.requests(chain_id, TO, "0x" + "ab" * 100, AT)
    assert (method, call["to"], at) == ("eth_call", GAS_PRICE_ORACLE, AT)
    (transaction,) = decode(["bytes"], bytes.fromhex(call["data"][10:]))
    assert transaction[0] == 2
    assert b"\xab" * 100 in transaction
    assert source.read(["0x" + encode(["uint256"], [1_001]).hex()], "e") == DataFee(wei=1_252)


def test_on_arbitrum_the_data_take_a_part_of_the_gas_limit() -> None:
    source = data_fee_source(42_161)
    ((_, (call, at)),) = source.requests(42_161, TO, "0x01", AT)
    assert (call["to"], at) == (NODE_INTERFACE, AT)
    types = ["uint64", "uint256", "uint256"]
    assert source.read(["0x" + encode(types, [400, 1, 2]).hex()], "e") == DataFee(gas=500)


@pytest.mark.parametrize("chain_id", [10, 42_161])
@pytest.mark.parametrize("answer", ["0x", None, "0x12", 5])
def test_nonsense_is_the_endpoints_fault(chain_id: int, answer: Any) -> None:
    with pytest.raises(EndpointError):
        data_fee_source(chain_id).read([answer], "e")
    with pytest.raises(RpcError):
        data_fee_source(chain_id).read([RpcError("e", "eth_call", -32005, "limit")], "e")


def history(**change: Any) -> dict[str, Any]:
    rows = [["0x1", "0x2"], ["0x5", "0x6"]]
    return {
        "baseFeePerGas": ["0xa", "0xb", "0xc"],
        "gasUsedRatio": [0.5, 1.0],
        "reward": rows,
        **change,
    }


def test_a_full_block_asks_for_more_than_one_with_room() -> None:
    found = history_of(history())
    assert found is not None
    assert found.required_tips_wei == (1, 6)
    assert found.next_base_fee_wei == 12
    assert len(history_call()[1][2]) == len(PERCENTILES)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "0x1",
        {},
        RpcError("e", "eth_feeHistory", -32601, "method not found"),
        history(reward=None),
        history(reward=[["0x1"], ["0x2"]]),
        history(gasUsedRatio=[0.5]),
        history(gasUsedRatio=[0.5, 7.0]),
        history(baseFeePerGas=["0xa", "0xb", "-0x1"]),
        history(baseFeePerGas=[]),
        history(gasUsedRatio=[0.5, float("nan")]),
    ],
)
def test_without_a_usable_history_fees_follow_the_base_fee_alone(answer: Any) -> None:
    assert history_of(answer) is None
