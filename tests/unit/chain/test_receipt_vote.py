"""Receipts, estimates and hints in one batch with what is pinned: each agreed on in its own way (K-08)."""

from typing import Any

from keeper.chain.standing import Fault
from keeper.errors import RpcError
from tests.unit.chain.nodes import Node, block, block_hash, nodes, pool_of

TX = "0x" + "7a" * 32
RECEIPT, ESTIMATE, COUNT = "eth_getTransactionReceipt", "eth_estimateGas", "eth_getTransactionCount"
ASK = [(RECEIPT, [TX])]
LOG = {"address": "0x" + "1E" * 20, "topics": ["0x" + "0a" * 32], "data": "0x01"}


def receipt(number: int = 100, fork: int = 0, **change: Any) -> dict[str, Any]:
    return {
        "transactionHash": TX,
        "blockNumber": hex(number),
        "blockHash": block_hash(number, fork),
        "status": "0x1",
        "gasUsed": "0x5208",
        "effectiveGasPrice": "0x7",
        "logs": [LOG],
        **change,
    }


def told(answers: list[Any], method: str = RECEIPT) -> list[Node]:
    found = nodes(len(answers))
    for node, answer in zip(found, answers, strict=True):
        node.lies = lambda m, _p, a=answer: a if m == method else NotImplemented  # type: ignore[misc]
    return found


def test_a_receipt_of_a_newer_block_is_not_there_yet() -> None:
    """Honest endpoints are at different heads; neither is waited for and neither is called a liar."""
    pool = pool_of(told([receipt(101), None, receipt(101)]))
    assert pool.agreed_batch(ASK, upto=100) == [None]
    (newer,) = pool.agreed_batch(ASK, upto=101)
    assert newer == receipt(101)
    assert [s.fault for s in pool.states()] == [Fault.NONE] * 3


def test_a_receipt_of_what_waits_in_a_pool_is_none() -> None:
    pool = pool_of(told([receipt(blockNumber=None, blockHash=None), None, None]))
    assert pool.agreed_batch(ASK, upto=100) == [None]


def test_fields_and_spelling_that_only_some_clients_have_are_no_difference() -> None:
    dressed = {**LOG, "address": LOG["address"].lower(), "logIndex": "0x0", "blockTimestamp": "0x1"}  # type: ignore[attr-defined]
    pool = pool_of(told([receipt(), receipt(logs=[dressed], type="0x2"), None]))
    assert pool.agreed_batch(ASK, upto=100) == [receipt()]


def test_a_receipt_without_a_majority_is_known_to_nobody() -> None:
    pool = pool_of(told([receipt(), receipt(fork=3), None]))
    (answer, count) = pool.agreed_batch(
        [*ASK, (COUNT, ["0x2e", {"blockHash": block(100).hash}])], upto=100
    )
    assert isinstance(answer, RpcError)
    assert "not 2 of them" in str(answer)
    assert count == "0x7", "what is pinned is decided all the same"


def test_of_two_receipts_of_one_block_the_outvoted_one_is_a_lie() -> None:
    pool = pool_of(told([receipt(logs=[]), receipt(), receipt()]))
    assert pool.agreed_batch(ASK, upto=100) == [receipt()]
    assert [s.fault for s in pool.states()] == [Fault.LYING, Fault.NONE, Fault.NONE]


def test_of_receipts_of_two_blocks_the_outvoted_one_may_be_of_another_branch() -> None:
    pool = pool_of(told([receipt(fork=2), receipt(), receipt()]))
    assert pool.agreed_batch(ASK, upto=100) == [receipt()]
    assert [s.fault for s in pool.states()] == [Fault.NONE] * 3


def test_estimates_agree_that_it_goes_through_and_the_middle_one_is_taken() -> None:
    for odd in ("0x1", hex(10**12)):
        pool = pool_of(told([odd, hex(500_000), hex(520_000)], ESTIMATE))
        (gas,) = pool.agreed_batch([(ESTIMATE, [{}])])
        assert 500_000 <= int(gas, 16) <= 520_000


def test_estimates_may_agree_that_it_does_not_go_through() -> None:
    refusal = RpcError("node", ESTIMATE, 3, "execution reverted", "0x12345678")
    pool = pool_of(told([hex(21_000), refusal, refusal], ESTIMATE))
    (answer,) = pool.agreed_batch([(ESTIMATE, [{}])])
    assert answer is refusal


def test_hints_are_told_as_they_were_said_and_voted_on_by_nobody() -> None:
    pool = pool_of(told(["0x1", "0x2", RpcError("node", COUNT, -32000, "no")], COUNT))
    price = ("eth_call", [{"to": "0x1e", "data": "0x"}, {"blockHash": block(100).hash}])
    agreed, said = pool.agreed_batch([price], [(COUNT, ["0x2e", "pending"])])
    assert agreed == "0x" + "c0" * 32
    assert said[:2] == ("0x1", "0x2")
    assert [s.fault for s in pool.states()] == [Fault.NONE] * 3


def test_one_endpoint_answers_hints_alone() -> None:
    (only,) = told(["0x5"], COUNT)
    pool = pool_of([only])
    price = ("eth_call", [{"to": "0x1e", "data": "0x"}, {"blockHash": block(100).hash}])
    assert pool.agreed_batch([price], [(COUNT, ["0x2e", "pending"])])[1] == ("0x5",)
    assert only.asked == [["eth_call", COUNT]]
