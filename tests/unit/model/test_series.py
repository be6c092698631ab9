"""A series has the id that the book gives it, and collateral as the book takes it."""

from dataclasses import astuple, replace

from eth_abi.abi import encode
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from keeper.model.series import Series
from keeper.model.units import WAD, Wad
from tests.desk_builders import series

TYPES = ("address", "address", "address", "uint64", "bool", "uint128", "uint128")


@given(
    st.integers(0, 2**64 - 1),
    st.booleans(),
    st.integers(0, 2**128 - 1),
    st.integers(0, 2**128 - 1),
)
def test_the_id_is_the_hash_of_the_abi_encoded_terms(
    expiry: int, is_call: bool, strike: int, second: int
) -> None:
    terms = replace(series(), expiry=expiry, is_call=is_call)
    terms = replace(terms, strike_wad=Wad(strike), second_strike_wad=Wad(second))
    assert terms.id == str(int.from_bytes(keccak(encode(TYPES, astuple(terms))), "big"))


def test_calls_lock_base_puts_their_strike_and_spreads_their_width() -> None:
    whole = 10**18
    cases: list[tuple[Series, int]] = [
        (series(2_200), whole),
        (series(2_000, second=2_500), whole // 5),
        (series(1_800, is_call=False), 1_800 * 10**6),
        (series(1_800, is_call=False, second=1_500), 300 * 10**6),
    ]
    assert [terms.collateral_up(whole, 18, 6) for terms, _ in cases] == [held for _, held in cases]
    assert series(1_800, is_call=False).collateral_up(1, 18, 6) == 1


def test_strikes_in_the_wrong_order_make_no_series() -> None:
    assert series(2_200).well_formed
    assert not replace(series(), strike_wad=Wad(0)).well_formed
    assert not series(2_200, second=2_200).well_formed
    assert not series(1_800, is_call=False, second=1_900).well_formed
    assert not replace(series(), strike_wad=Wad(2**128)).well_formed
    assert not replace(series(), second_strike_wad=Wad(-WAD)).well_formed
