"""What a node that is not there looks like."""

import pytest

from keeper.errors import LocalnetError
from keeper.localnet.anvil import free_port
from keeper.localnet.rpc import Rpc


def test_a_node_that_does_not_answer_is_a_localnet_error() -> None:
    node = Rpc(f"http://127.0.0.1:{free_port()}", timeout_s=1)
    with pytest.raises(LocalnetError, match="eth_chainId"):
        node.call("eth_chainId")
