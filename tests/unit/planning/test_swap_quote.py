"""Quotes follow the pool's own formula; the least output respects mandate and oracle."""

from dataclasses import replace

import pytest

from keeper.model.ledger import Ledger
from keeper.planning.swap_quote import SwapTerms, quote_swap, simulate
from tests.builders import dollars, ether, make_pool, make_readings

TERMS = SwapTerms(max_loss_bps=200, slippage_bps=30)


@pytest.mark.parametrize("base_is_token0", [False, True])
@pytest.mark.parametrize("sells_base", [False, True])
def test_a_small_swap_pays_spot_less_the_fee(base_is_token0: bool, sells_base: bool) -> None:
    pool = make_pool(2_000, base_is_token0=base_is_token0)
    amount = ether(1) if sells_base else dollars(2_000)
    at_spot = dollars(2_000) if sells_base else ether(1)
    out, _ = simulate(pool, sells_base, amount)
    assert out / at_spot == pytest.approx(0.9995, rel=1e-5)


@pytest.mark.parametrize("base_is_token0", [False, True])
def test_output_is_the_constant_product_of_the_range(base_is_token0: bool) -> None:
    """With reserves x, y in range: out = y - x y / (x + in)."""
    pool = make_pool(2_000, depth=100_000_000, fee_pips=0, base_is_token0=base_is_token0)
    out, _ = simulate(pool, True, ether(1_000))
    assert out / 10**6 == pytest.approx(100e6 - 100e6 * 50_000 / 51_000, rel=1e-9)
    out, _ = simulate(pool, False, dollars(1_000_000))
    assert out / 10**18 == pytest.approx(50_000 - 50_000 * 100 / 101, rel=1e-9)


@pytest.mark.parametrize("base_is_token0", [False, True])
def test_there_and_back_never_profits(base_is_token0: bool) -> None:
    pool = make_pool(2_000, fee_pips=0, base_is_token0=base_is_token0)
    for amount in (1, 999, ether(1), ether(12_345)):
        out, moved = simulate(pool, True, amount)
        back, _ = simulate(moved, False, out)
        assert back <= amount


@pytest.mark.parametrize("change", [{"liquidity": 0}, {"sqrt_price_x96": 0}])
def test_an_empty_pool_gives_nothing(change: dict[str, int]) -> None:
    pool = replace(make_pool(), **change)  # type: ignore[arg-type]
    assert simulate(pool, True, ether(1)) == (0, pool)


def test_least_output_is_oracle_less_fee_impact_and_slippage() -> None:
    ledger = Ledger.of(make_readings())
    quote = quote_swap(ledger, make_pool(2_000), TERMS, ledger.base, ether(100))
    assert quote.value == dollars(200_000)
    # 0.05 % fee and 0.05 % impact of 100 in 200,000, then 0.30 % slippage
    assert quote.min_out / dollars(200_000) == pytest.approx(0.9995 * 0.9995 * 0.997, rel=1e-5)
    assert quote.expected_loss / dollars(200_000) == pytest.approx(0.001, rel=1e-2)


@pytest.mark.parametrize("spot", [1_950, 1_990, 2_000, 2_010, 2_050])
def test_least_output_follows_the_worse_of_pool_and_oracle(spot: float) -> None:
    ledger = Ledger.of(make_readings())
    quote = quote_swap(ledger, make_pool(spot), TERMS, ledger.base, ether(1))
    worse = min(spot, 2_000)
    wanted = max(worse * 0.9995 * 0.997, 2_000 * 0.98)
    assert quote.min_out / 10**6 == pytest.approx(wanted, rel=1e-4)


def test_least_output_is_never_looser_than_the_mandate() -> None:
    ledger = Ledger.of(make_readings())
    loose = SwapTerms(max_loss_bps=50, slippage_bps=1_000)
    quote = quote_swap(ledger, make_pool(1_900), loose, ledger.base, ether(1))
    assert quote.min_out == quote.mandate_out == dollars(1_990) + 1
    assert quote.expected_out < quote.mandate_out


def test_buying_above_the_oracle_is_a_loss_and_below_a_gain() -> None:
    ledger = Ledger.of(make_readings())
    above = quote_swap(ledger, make_pool(2_020), TERMS, ledger.asset, dollars(10_000))
    below = quote_swap(ledger, make_pool(1_980), TERMS, ledger.asset, dollars(10_000))
    assert above.expected_loss / dollars(10_000) == pytest.approx(0.0104, rel=1e-2)
    assert below.expected_loss < 0
