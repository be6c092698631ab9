"""Noise is the same for the same seed, small, and as often one way as the other."""

from hypothesis import given
from hypothesis import strategies as st

from keeper.localnet.actors.noise_trader import NoiseTrade, NoiseTrader, decide
from keeper.localnet.actors.values import Holdings, Round, Sight, Tick
from keeper.localnet.protocols.uniswap import Pair
from keeper.model.units import Raw, Wei

ME, ROUTER, WETH, USDC = ("0x" + c * 40 for c in "1234")


def trade(seed: int, index: int, probability: float = 0.35) -> NoiseTrade | None:
    return decide(seed, index, probability=probability, median_usd=4_000, largest_usd=50_000)


@given(st.integers(0, 2**64 - 1), st.integers(0, 10_000))
def test_depends_on_seed_and_block_alone(seed: int, index: int) -> None:
    before = trade(seed, index)
    trade(seed, index + 1)
    assert trade(seed, index) == before
    assert before is None or 0 < before.usd <= 50_000


def test_trades_about_as_often_as_asked_both_ways() -> None:
    trades = [t for t in (trade(1, i) for i in range(2_000)) if t is not None]
    assert 600 < len(trades) < 800
    assert 0.44 < sum(t.sell_weth for t in trades) / len(trades) < 0.56


def test_other_seeds_trade_otherwise() -> None:
    assert [trade(1, i) for i in range(50)] != [trade(2, i) for i in range(50)]


@given(st.integers(0, 500), st.integers(0, 10**6))
def test_sells_no_more_than_it_has(index: int, held: int) -> None:
    trader = NoiseTrader(ME, ROUTER, Pair(WETH, USDC), seed=1, probability=1.0)
    seen = Sight(
        number=1,
        block_hash="0x",
        timestamp=1,
        base_fee_wei=Wei(1),
        pool_sqrt_price_x96=1,
        eth_usd=Round(1, 1, 1),
        usdc_usd=Round(1, 1, 1),
        holdings={ME: Holdings(Raw(held), Raw(held))},
        debtors=(),
        nonces={},
    )
    for order in trader.act(seen, Tick(index, 1, 2_000.0, True)):
        assert 0 < int(order.data[10:][5 * 64 : 6 * 64], 16) <= held
