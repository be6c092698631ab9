"""What a node that is not there looks like."""

import pytest
from eth_utils.abi import function_signature_to_4byte_selector

from keeper.errors import LocalnetError
from keeper.localnet.anvil import free_port
from keeper.localnet.rpc import Rpc, revert_reason


def test_a_node_that_does_not_answer_is_a_localnet_error() -> None:
    node = Rpc(f"http://127.0.0.1:{free_port()}", timeout_s=1)
    with pytest.raises(LocalnetError, match="eth_chainId"):
        node.call("eth_chainId")


def test_revert_data_of_our_contracts_is_told_by_name() -> None:
    selector = function_signature_to_4byte_selector("IdleTooLow(address,uint256,uint256)").hex()
    data = f"0x{selector}{'00' * 31}01{'00' * 31}02{'00' * 31}03"
    said = revert_reason(data, "no words")
    assert said.startswith("reverted: IdleTooLow(token=0x")
    assert said.endswith("needed=2, idle=3)")
    assert revert_reason("", "no words") == "reverted: no words"
