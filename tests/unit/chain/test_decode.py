"""What the lens says is what the readings say, field by field."""

from dataclasses import replace

import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from keeper import abi
from keeper.chain.decode import BadSnapshot, Origin, SnapshotCodec
from keeper.model.market import NO_OPTIONS, BookValue, OptionPosition, Options, Readings
from tests.builders import NOW, dollars, ether, make_caps, make_depositors, make_readings, wad
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
        winding_down=not flags,
        unhedged=flags,
        keeper_allowed=not flags,
        base_is_token0=flags,
        caps=make_caps(delta_target_bps=-20_000 if flags else 30_000),
        depositors=make_depositors(pending_deposits=idle, priced=flags, halted=flags),
    )
    assert _lowered(_decoded(readings, snapshot_answer(readings))) == _lowered(readings)


def test_options_survive_the_lens() -> None:
    position = OptionPosition(
        str(2**255), is_call=False, strike_wad=wad(1_800), second_strike_wad=wad(1_500),
        expiry=NOW + 86_400, written=ether(10), sold=ether(6), in_auction=ether(4),
        mark_low=dollars(1), mark_mid=dollars(2), mark_high=dollars(3), delta_base=-ether(2),
        gamma_base=-(10**30), vega=-5, fault=3, awaiting=True,
    )  # fmt: skip
    book = BookValue(
        ether(1), dollars(2), dollars(3), dollars(4), dollars(5), dollars(6), -ether(1), dollars(7),
        ether(8), 2, awaiting=True,
    )  # fmt: skip
    desk = "0x" + "de" * 20
    readings = replace(
        make_readings(), options=Options(desk, book, volatility_known=True, positions=(position,))
    )
    assert _decoded(readings, snapshot_answer(readings)).options.value == book
    assert _lowered(_decoded(readings, snapshot_answer(readings))) == _lowered(readings)


def test_a_desk_that_cannot_be_valued_is_not_a_vault_without_options() -> None:
    options = Options("0x" + "de" * 20, None, volatility_known=False, positions=())
    readings = replace(make_readings(), options=options)
    assert _decoded(readings, snapshot_answer(readings)).options.value is None
    assert make_readings().options.value == NO_OPTIONS


def test_addresses_come_back_with_checksum() -> None:
    readings = make_readings()
    decoded = _decoded(readings, snapshot_answer(readings))
    assert decoded.vault == to_checksum_address(readings.vault)


def test_a_venue_that_lists_nothing_is_read_as_frozen() -> None:
    """Nobody plans on a position that could not be read."""
    readings = make_readings()
    venues = {**snapshot_values(readings)["venues"], "positions": []}
    decoded = _decoded(readings, snapshot_answer(readings, venues=venues))
    assert decoded.base_position.frozen_or_paused
    assert decoded.base_position.supplied == 0


def test_another_version_of_the_snapshot_is_refused() -> None:
    readings = make_readings()
    with pytest.raises(BadSnapshot, match="version 3"):
        _decoded(readings, snapshot_answer(readings, version=3))


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
