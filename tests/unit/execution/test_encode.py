"""Words by hand are those of the general encoder."""

from dataclasses import replace

import pytest
from eth_abi.abi import encode as abi_encode
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from keeper.execution.encode import address, bytes32, sized, uint
from keeper.execution.intents import make_intent, rebalance_of
from keeper.execution.simulate import MOVES_TYPE, call_data
from keeper.model.decision import Move, MoveKind, Rebalance
from keeper.model.units import Raw
from tests.builders import make_readings
from tests.unit.execution.intents import make_plan

AMOUNTS = st.integers(0, 2**256 - 1).map(Raw)
ADDRESSES = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
MOVES = st.builds(
    Move,
    kind=st.sampled_from(MoveKind),
    adapter=ADDRESSES,
    token=ADDRESSES,
    amount=AMOUNTS,
    limit=AMOUNTS,
    target=AMOUNTS,
)


@given(st.lists(MOVES, max_size=5), AMOUNTS, st.integers(0, 2**32))
def test_calldata_and_id_are_those_of_the_general_encoder(
    moves: list[Move], loss: Raw, counter: int
) -> None:
    readings = make_readings()
    plan = replace(make_plan(), moves=tuple(moves), max_loss=loss)
    payload = rebalance_of(plan, readings)
    intent = make_intent(payload, readings, counter, 120)
    assert isinstance(payload, Rebalance)
    listed = [
        (int(m.kind), m.adapter, m.token, int(m.amount), int(m.limit), int(m.target)) for m in moves
    ]
    state = bytes.fromhex(payload.state_hash[2:])
    head = (bytes.fromhex(intent.id[2:]), intent.deadline, state, int(loss))
    types = ["(bytes32,uint64,bytes32,uint256)", MOVES_TYPE]
    assert call_data(intent)[10:] == abi_encode(types, [head, listed]).hex()
    digest = abi_encode([MOVES_TYPE, "bytes32", "uint256"], [listed, state, int(loss)])
    block_hash = bytes.fromhex(readings.block.hash[2:])
    name = abi_encode(
        ["uint256", "address", "bytes32", "string", "bytes", "uint256"],
        [readings.chain_id, readings.vault, block_hash, "Rebalance", digest, counter],
    )
    assert intent.id == "0x" + keccak(name).hex()


@given(st.binary(max_size=100))
def test_bytes_are_padded_to_whole_words(data: bytes) -> None:
    assert abi_encode(["bytes"], [data]) == uint(32) + sized(data)


@pytest.mark.parametrize(("value", "bits"), [(-1, 256), (2**256, 256), (2**64, 64), (256, 8)])
def test_a_number_that_does_not_fit_is_refused_and_not_cut(value: int, bits: int) -> None:
    with pytest.raises(OverflowError):
        uint(value, bits)


@pytest.mark.parametrize("text", ["0x", "0x12", "0x" + "12" * 19, "0x" + "12" * 33, "hello"])
def test_what_has_another_length_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no address|hexadecimal"):
        address(text)
    with pytest.raises(ValueError, match=r"no bytes32|hexadecimal"):
        bytes32(text)
