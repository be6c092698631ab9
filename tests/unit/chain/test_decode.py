"""What the lens says is what the readings say, field by field."""

import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from keeper import abi
from keeper.chain.decode import BadSnapshot, Origin, SnapshotCodec
from keeper.model.market import Readings
from tests.builders import make_readings
from tests.unit.chain.snapshots import snapshot_answer, snapshot_values

CODEC = SnapshotCodec(abi.load("VaultLens"))


def _decoded(readings: Readings, answer: str) -> Readings:
    block, balance = readings.block, readings.keeper_balance_wei
    return CODEC.decode(answer, block, readings.keeper, balance)[0]


def _lowered(readings: Readings) -> str:
    return repr(readings).lower()  # addresses come back checksummed


@given(
    price=st.sampled_from([0.0, 1.5, 2_000.0]),
    idle=st.floats(0, 1e9),
    decimals=st.sampled_from([0, 6, 8, 18, 24]),
    flags=st.booleans(),
)
def test_readings_survive_the_lens(price: float, idle: float, decimals: int, flags: bool) -> None:
    readings = make_readings(
        price=price,
        idle_asset=idle,
        asset_decimals=decimals,
        paused=flags,
        keeper_allowed=not flags,
        base_is_token0=flags,
    )
    assert _lowered(_decoded(readings, snapshot_answer(readings))) == _lowered(readings)


def test_addresses_come_back_with_checksum() -> None:
    readings = make_readings()
    decoded = _decoded(readings, snapshot_answer(readings))
    assert decoded.vault == to_checksum_address(readings.vault)


def test_a_venue_that_lists_nothing_is_read_as_frozen() -> None:
    """Nobody plans on a position that could not be read."""
    readings = make_readings()
    decoded = _decoded(readings, snapshot_answer(readings, positions=[]))
    assert decoded.base_position.frozen_or_paused
    assert decoded.base_position.supplied == 0


def test_another_version_of_the_snapshot_is_refused() -> None:
    readings = make_readings()
    with pytest.raises(BadSnapshot, match="version 2"):
        _decoded(readings, snapshot_answer(readings, version=2))


@pytest.mark.parametrize("answer", ["0x00", "0x" + "ff" * 640, "0xzz"])
def test_bytes_that_are_no_snapshot_are_refused(answer: str) -> None:
    with pytest.raises(BadSnapshot):
        _decoded(make_readings(), answer)


def test_a_snapshot_says_what_it_is_of() -> None:
    readings = make_readings()
    answer = snapshot_answer(readings, chainId=5, blockNumber=6, timestamp=7)
    _, origin = CODEC.decode(answer, readings.block, readings.keeper, 0)
    assert origin == Origin(to_checksum_address(readings.vault), 5, 6, 7)


def test_a_fault_of_the_price_that_nobody_knows_is_refused() -> None:
    readings = make_readings()
    price = {**snapshot_values(readings)["price"], "fault": 99}
    with pytest.raises(BadSnapshot, match="does not decode"):
        _decoded(readings, snapshot_answer(readings, price=price))


@pytest.mark.parametrize("name", ["assetDecimals", "baseDecimals"])
def test_a_token_with_absurd_decimals_is_refused(name: str) -> None:
    readings = make_readings()
    with pytest.raises(BadSnapshot, match="more than 36 decimals"):
        _decoded(readings, snapshot_answer(readings, **{name: 255}))
