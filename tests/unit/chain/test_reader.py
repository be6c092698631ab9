"""Reads are pinned to one hash, and what cannot be read says why."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from eth_utils.address import to_checksum_address

from keeper import abi
from keeper.chain.reader import LensReader
from keeper.chain.stamps import stamp
from keeper.errors import (
    EndpointError,
    GimbalError,
    ReorganisedError,
    RpcError,
    WrongChainError,
    WrongVaultError,
)
from keeper.model.block import BlockStamp
from keeper.model.units import Wei
from tests.builders import CHAIN_ID, KEEPER, VAULT, make_readings
from tests.unit.chain.snapshots import snapshot_answer

LENS = "0x" + "1e" * 20
READINGS = replace(make_readings(), keeper_balance_wei=Wei(7))
BLOCK = READINGS.block
HEADER = {
    "number": hex(BLOCK.number),
    "hash": BLOCK.hash,
    "parentHash": BLOCK.parent_hash,
    "timestamp": hex(BLOCK.timestamp),
    "baseFeePerGas": hex(BLOCK.base_fee_wei),
}


class FakeEndpoint:
    """Answers by method; remembers every request as the list of its calls."""

    name = "http://fake"

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = {
            "eth_chainId": hex(CHAIN_ID),
            "eth_getCode": "0x60",
            "eth_getBlockByNumber": HEADER,
            "eth_getBlockByHash": HEADER,
            "eth_call": snapshot_answer(READINGS),
            "eth_getBalance": "0x7",
            **answers,
        }
        self.requests: list[list[tuple[str, list[Any]]]] = []

    def call(self, method: str, params: list[Any]) -> Any:
        (answer,) = self.batch([(method, params)])
        if isinstance(answer, RpcError):
            raise answer
        return answer

    def head(self) -> BlockStamp:
        return stamp(self.call("eth_getBlockByNumber", ["latest", False]), self.name, "head")

    def agreed_batch(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        return self.batch(calls)

    def batch(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        self.requests.append(list(calls))
        answers = [self.answers[method] for method, _ in calls]
        return [a(p) if callable(a) else a for a, (_, p) in zip(answers, calls, strict=True)]


def reader(endpoint: FakeEndpoint, chain_id: int = CHAIN_ID) -> LensReader:
    return LensReader(
        endpoint,
        abi.load("VaultLens"),
        chain_id=chain_id,
        vault=VAULT,
        lens=LENS,
        keeper=KEEPER,
    )


def _error(message: str, code: int = -32000) -> RpcError:
    return RpcError("http://fake", "eth_call", code, message)


def test_one_request_reads_the_vault_pinned_to_the_block_hash() -> None:
    endpoint = FakeEndpoint()
    readings = reader(endpoint).read(BLOCK)
    assert readings.block == BLOCK
    assert readings.keeper_balance_wei == 7
    (request,) = endpoint.requests
    assert [params[1] for _, params in request] == [{"blockHash": BLOCK.hash}] * 2


def test_the_head_is_stamped_whole() -> None:
    assert reader(FakeEndpoint()).head() == BLOCK


@pytest.mark.parametrize("message", ["header not found", "Block not found", "unknown block"])
def test_an_unknown_block_hash_is_a_reorganisation(message: str) -> None:
    with pytest.raises(ReorganisedError, match=BLOCK.hash):
        reader(FakeEndpoint(eth_call=_error(message))).read(BLOCK)


def test_an_unknown_hash_asked_for_by_hash_is_a_reorganisation() -> None:
    with pytest.raises(ReorganisedError):
        reader(FakeEndpoint(eth_getBlockByHash=None)).block(BLOCK.hash)


def test_a_revert_that_says_not_found_is_no_reorganisation() -> None:
    with pytest.raises(RpcError):
        reader(FakeEndpoint(eth_call=_error("execution reverted: not found", 3))).read(BLOCK)


def test_a_good_vault_passes_verification() -> None:
    assert reader(FakeEndpoint()).verify().nav == READINGS.nav


def test_a_node_between_two_blocks_does_not_end_the_start() -> None:
    """The first reading is tried on three heads; what fails on all of them is said."""
    later = replace(READINGS, block=replace(READINGS.block, timestamp=BLOCK.timestamp + 1))
    answers = [snapshot_answer(later), snapshot_answer(later), snapshot_answer(READINGS)]
    assert reader(FakeEndpoint(eth_call=lambda _: answers.pop(0))).verify().nav == READINGS.nav
    with pytest.raises(EndpointError, match="answered for timestamp"):
        reader(FakeEndpoint(eth_call=lambda _: snapshot_answer(later))).verify()


def _code_of(missing: str) -> Any:
    return lambda params: "0x" if params[0].lower() == missing else "0x60"


@pytest.mark.parametrize(
    ("answers", "expected", "says"),
    [
        ({"eth_chainId": "0xa"}, WrongChainError, "serves chain id 10"),
        ({"eth_getCode": _code_of(VAULT)}, WrongVaultError, "no code at the vault address"),
        ({"eth_getCode": _code_of(LENS)}, WrongVaultError, "no code at the lens address"),
        ({"eth_call": _error("execution reverted", 3)}, WrongVaultError, "lens cannot read it"),
        ({"eth_call": "0x"}, WrongVaultError, "no lens at this address"),
        ({"eth_call": "0x00"}, WrongVaultError, "does not decode"),
        ({"eth_call": None}, EndpointError, "answered no bytes"),
        ({"eth_chainId": "ten"}, EndpointError, "not a quantity"),
        ({"eth_getBlockByNumber": None}, EndpointError, "no block"),
        ({"eth_getBlockByNumber": {"number": "0x1"}}, EndpointError, "without a hash"),
    ],
)
def test_verification_names_what_is_wrong(
    answers: dict[str, Any], expected: type[GimbalError], says: str
) -> None:
    with pytest.raises(expected, match=says):
        reader(FakeEndpoint(**answers)).verify()


def test_a_lens_that_speaks_of_another_chain_is_not_believed() -> None:
    answer = snapshot_answer(READINGS, chainId=10)
    with pytest.raises(WrongChainError, match="serves chain id 10"):
        reader(FakeEndpoint(eth_call=answer)).read(BLOCK)


@pytest.mark.parametrize("answer", ["0x", "0x00", snapshot_answer(READINGS)[:500], None])
def test_one_bad_answer_after_the_start_is_the_endpoints_fault(answer: Any) -> None:
    """It costs a tick and does not end the keeper."""
    endpoint = FakeEndpoint()
    ours = reader(endpoint)
    ours.verify()
    endpoint.answers["eth_call"] = answer
    with pytest.raises(EndpointError, match="eth_call answered"):
        ours.read(BLOCK)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"vault": "0x" + "66" * 20}, "answered for vault 0x6666"),
        ({"blockNumber": BLOCK.number - 1}, "answered for block 99, asked was 100"),
        ({"timestamp": BLOCK.timestamp - 12}, "answered for timestamp 1699999988"),
    ],
)
def test_a_snapshot_of_something_else_is_not_believed(changes: dict[str, Any], says: str) -> None:
    ours = reader(FakeEndpoint(eth_call=snapshot_answer(READINGS, **changes)))
    with pytest.raises(EndpointError, match=says):
        ours.read(BLOCK)
    with pytest.raises(EndpointError, match=says):
        ours.verify()


def test_on_a_chain_whose_contracts_see_another_number_the_time_binds() -> None:
    arbitrum = 42161
    other = {"chainId": arbitrum, "blockNumber": 23_000_000}
    answer = snapshot_answer(READINGS, **other)
    assert reader(FakeEndpoint(eth_call=answer), arbitrum).read(BLOCK).block == BLOCK
    late = snapshot_answer(READINGS, **other, timestamp=1)
    with pytest.raises(EndpointError, match="timestamp"):
        reader(FakeEndpoint(eth_call=late), arbitrum).read(BLOCK)


def test_the_vault_of_the_readings_is_the_one_that_was_set() -> None:
    assert reader(FakeEndpoint()).read(BLOCK).vault == to_checksum_address(VAULT)


def test_a_block_asked_for_by_hash_has_that_hash() -> None:
    with pytest.raises(EndpointError, match="answered block 0xb1b1"):
        reader(FakeEndpoint()).block("0x" + "00" * 32)


@pytest.mark.parametrize("field", ["hash", "parentHash"])
@pytest.mark.parametrize("value", ["zz", "0x", "0x" + "b1" * 31, "\ud800", "0x" + "zz" * 32, 7])
def test_a_hash_is_32_bytes_or_no_block_was_answered(field: str, value: Any) -> None:
    with pytest.raises(EndpointError, match="without a hash"):
        stamp({**HEADER, field: value}, "e", "m")


@pytest.mark.parametrize("field", ["number", "timestamp", "baseFeePerGas"])
@pytest.mark.parametrize(
    "value", [hex(2**63), hex(2**70), "-0x1", "0x", "7", "0x 7", "0x_7", None, 7]
)
def test_a_number_is_hexadecimal_not_negative_and_fits_the_journal(field: str, value: Any) -> None:
    with pytest.raises(EndpointError, match="not a quantity"):
        stamp({**HEADER, field: value}, "e", "m")


def test_a_balance_may_be_any_amount_and_not_negative() -> None:
    assert reader(FakeEndpoint(eth_getBalance=hex(2**80))).read(BLOCK).keeper_balance_wei == 2**80
    with pytest.raises(EndpointError, match="not a quantity"):
        reader(FakeEndpoint(eth_getBalance="-0x7")).read(BLOCK)


def test_a_header_of_a_chain_without_base_fee_is_accepted() -> None:
    header = {k: v for k, v in HEADER.items() if k != "baseFeePerGas"}
    assert stamp(header, "e", "m").base_fee_wei == 0
