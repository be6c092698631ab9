"""Calldata as the vault takes it; reverts as readable reasons with their values."""

import pytest
from eth_abi.abi import encode as abi_encode
from eth_utils.abi import function_signature_to_4byte_selector

from keeper import abi
from keeper.errors import RpcError
from keeper.execution.simulate import ErrorBook, call_data, is_revert, waits_until
from tests.unit.execution.intents import make_test_intent

BOOK = ErrorBook(abi.load("Vault"), abi.load("PriceOracle"))


def _reverted(data: str, message: str = "execution reverted") -> RpcError:
    return RpcError("http://fake", "eth_call", 3, message, data)


def _data(signature: str, types: list[str], values: list[object]) -> str:
    selector = function_signature_to_4byte_selector(signature)
    return "0x" + (selector + abi_encode(types, values)).hex()


def test_calldata_has_the_selector_of_the_vaults_rebalance() -> None:
    entry = next(e for e in abi.load("Vault") if e.get("name") == "rebalance")
    kinds = [[c["type"] for c in i["components"]] for i in entry["inputs"]]
    signature = f"rebalance(({','.join(kinds[0])}),({','.join(kinds[1])})[])"
    selector = function_signature_to_4byte_selector(signature).hex()
    assert call_data(make_test_intent()).startswith("0x" + selector)


def test_a_custom_error_is_told_with_its_values() -> None:
    data = _data("PriceUnusable(uint8,address,uint256,uint256)",
                 ["uint8", "address", "uint256", "uint256"], [4, "0x" + "ab" * 20, 5000, 3900])  # fmt: skip
    told = BOOK.explain(_reverted(data))
    assert told.startswith("PriceUnusable(fault=4, source=0x" + "ab" * 20)
    assert "observed=5000, bound=3900" in told


@pytest.mark.parametrize(
    ("data", "message", "told"),
    [
        (_data("Error(string)", ["string"], ["35"]), "execution reverted", "Error(reason=35)"),
        (_data("Panic(uint256)", ["uint256"], [17]), "execution reverted", "Panic(code=17)"),
        ("0x", "execution reverted", "execution reverted"),
        ("0x12345678", "execution reverted", "unknown error 0x12345678"),
        ("0x08c379a0ffff", "execution reverted", "Error"),  # truncated
    ],
)
def test_other_reverts_are_told_as_far_as_they_say(data: str, message: str, told: str) -> None:
    assert BOOK.explain(_reverted(data, message)) == told


def test_the_mandate_tells_until_when_a_plan_waits() -> None:
    told = _data("CooldownActive(uint256,uint256)", ["uint256", "uint256"], [86_400, 7])
    assert waits_until(_reverted(told)) == 86_400
    for other in ("0x", told[:-2], told[:10], _data("Panic(uint256)", ["uint256"], [17])):
        assert waits_until(_reverted(other)) is None
    entry = next(e for e in abi.load("Mandate") if e.get("name") == "CooldownActive")
    assert [i["type"] for i in entry["inputs"]] == ["uint256", "uint256"]


def test_only_the_contracts_refusal_is_a_revert() -> None:
    assert is_revert(_reverted("0x"))
    assert is_revert(RpcError("e", "eth_estimateGas", -32000, "execution reverted: x"))
    assert not is_revert(RpcError("e", "eth_call", -32005, "rate limited"))
