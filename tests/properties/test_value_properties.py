"""Rounding and exactness of the values that everything else rests on."""

from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from keeper.model.ledger import Ledger
from keeper.model.units import (
    BPS,
    WAD,
    Wad,
    base_to_quote_down,
    base_to_quote_up,
    mul_div_down,
    mul_div_up,
    quote_to_base_down,
    quote_to_base_up,
)
from keeper.planning.swap_quote import SwapTerms, quote_swap, simulate
from keeper.risk.liquidation import liquidation_distance
from tests.builders import make_pool, make_readings

MANY = settings(max_examples=300, deadline=None)
amounts = st.integers(0, 10**30)
prices = st.integers(10**12, 10**24)
decimals = st.sampled_from([0, 6, 8, 18, 24])


@MANY
@given(a=amounts, b=amounts, denominator=st.integers(1, 10**30))
def test_down_and_up_enclose_the_exact_value_by_less_than_one(
    a: int, b: int, denominator: int
) -> None:
    down, up = mul_div_down(a, b, denominator), mul_div_up(a, b, denominator)
    assert down * denominator <= a * b <= up * denominator
    assert up - down == (0 if a * b % denominator == 0 else 1)


@MANY
@given(amount=amounts, price=prices, base=decimals, quote=decimals)
def test_converting_there_and_back_never_gains(
    amount: int, price: int, base: int, quote: int
) -> None:
    there = base_to_quote_down(amount, price, base, quote)
    assert quote_to_base_down(there, price, base, quote) <= amount
    up = base_to_quote_up(amount, price, base, quote)
    assert quote_to_base_up(up, price, base, quote) >= amount
    assert 0 <= up - there <= 1


@MANY
@given(
    amount=st.integers(10**15, 10**24),
    more=st.integers(1, 10**24),
    sells_base=st.booleans(),
    base_is_token0=st.booleans(),
    spot=st.floats(100, 10_000),
)
def test_a_larger_swap_gives_more_at_a_worse_rate(
    amount: int, more: int, sells_base: bool, base_is_token0: bool, spot: float
) -> None:
    """The sizing bisects on this."""
    amount, more = (amount, more) if sells_base else (amount // 10**10 + 1, more // 10**10 + 1)
    pool = make_pool(spot, base_is_token0=base_is_token0)
    small, _ = simulate(pool, sells_base, amount)
    large, _ = simulate(pool, sells_base, amount + more)
    assert large >= small
    # Rate not better, up to the units that input after fee and output are rounded down by.
    assert large * amount * 99_999 <= small * (amount + more) * 100_000


@MANY
@given(
    amount=st.integers(10**12, 10**22),
    spot=st.floats(1_800, 2_200),
    slippage=st.integers(0, 500),
    most=st.integers(10, 300),
    sells_base=st.booleans(),
)
def test_least_output_is_inside_the_mandate_and_the_pool(
    amount: int, spot: float, slippage: int, most: int, sells_base: bool
) -> None:
    ledger = Ledger.of(make_readings())
    amount = amount if sells_base else amount // 10**9
    assume(amount > 10**6)
    sold, bought = (ledger.base, ledger.asset) if sells_base else (ledger.asset, ledger.base)
    quote = quote_swap(ledger, make_pool(spot), SwapTerms(most, slippage), sold, amount)
    value = amount * ledger.scale(sold)
    assert quote.min_out * ledger.scale(bought) * BPS >= value * (BPS - most)
    assert quote.min_out <= max(quote.expected_out, quote.mandate_out)


@MANY
@given(
    supplied_base=st.floats(0, 2_000),
    supplied_asset=st.floats(0, 3e6),
    debt_base=st.floats(0, 1_000),
    debt_asset=st.floats(0, 3e6),
)
def test_health_is_one_at_the_liquidation_price(
    supplied_base: float, supplied_asset: float, debt_base: float, debt_asset: float
) -> None:
    """Exact formula at the price reported, and on the healthy side one step further."""
    ledger = Ledger.of(
        make_readings(
            supplied_base=supplied_base,
            supplied_asset=supplied_asset,
            debt_base=debt_base,
            debt_asset=debt_asset,
        )
    )
    distance = liquidation_distance(ledger, price_usable=True)
    assume(distance.price_wad is not None and WAD // 100 < distance.price_wad < 10**9 * WAD)
    assert distance.price_wad is not None

    def margin(price: int) -> int:
        there = replace(ledger, price_wad=Wad(price))
        return there.threshold_scaled() - there.debt_scaled() * BPS

    long = distance.fall is not None
    step = 1 if long else -1
    assert margin(distance.price_wad) >= 0
    assert margin(distance.price_wad - step) <= 0
    if margin(ledger.price_wad) <= 0:
        assert (distance.fall if long else distance.rise) == 0.0
