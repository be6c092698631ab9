"""Integer units: every conversion rounds as its name says."""

import math

import pytest

from keeper.model.units import (
    INFINITE_HEALTH,
    WAD,
    base_to_quote_down,
    base_to_quote_up,
    mul_div_down,
    mul_div_up,
    quote_to_base_down,
    quote_to_base_up,
    wad_down,
    wad_float,
)


@pytest.mark.parametrize(
    ("a", "b", "denominator", "down", "up"),
    [(7, 3, 2, 10, 11), (6, 3, 2, 9, 9), (0, 5, 7, 0, 0), (1, 1, 3, 0, 1)],
)
def test_mul_div_rounds_as_named(a: int, b: int, denominator: int, down: int, up: int) -> None:
    assert mul_div_down(a, b, denominator) == down
    assert mul_div_up(a, b, denominator) == up


@pytest.mark.parametrize(("a", "b", "denominator"), [(-1, 1, 1), (1, -1, 1), (1, 1, 0)])
def test_mul_div_refuses_what_it_is_not_made_for(a: int, b: int, denominator: int) -> None:
    for function in (mul_div_down, mul_div_up):
        with pytest.raises(ValueError, match="needs a, b >= 0"):
            function(a, b, denominator)


@pytest.mark.parametrize("base_decimals", [0, 6, 8, 18, 24])
@pytest.mark.parametrize("quote_decimals", [0, 6, 8, 18, 24])
def test_prices_convert_between_any_decimals(base_decimals: int, quote_decimals: int) -> None:
    one, price = 10**base_decimals, 2_000 * WAD
    value = 2_000 * 10**quote_decimals
    assert base_to_quote_down(one, price, base_decimals, quote_decimals) == value
    assert base_to_quote_up(one, price, base_decimals, quote_decimals) == value
    assert quote_to_base_down(value, price, base_decimals, quote_decimals) == one
    assert quote_to_base_up(value, price, base_decimals, quote_decimals) == one


def test_one_wei_of_ether_is_worth_no_dollar_unit_down_and_one_up() -> None:
    assert base_to_quote_down(1, 2_000 * WAD, 18, 6) == 0
    assert base_to_quote_up(1, 2_000 * WAD, 18, 6) == 1
    assert quote_to_base_down(1, 3_000 * WAD, 18, 6) == 333_333_333
    assert quote_to_base_up(1, 3_000 * WAD, 18, 6) == 333_333_334


def test_wads_and_floats() -> None:
    assert wad_down(1.25) == 1_250_000_000_000_000_000
    assert wad_float(WAD * 3 // 2) == 1.5
    assert math.isinf(wad_float(INFINITE_HEALTH))
