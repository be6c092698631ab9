"""The arbitrageur trades when it pays, in the direction that pays, to where it no longer pays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.localnet.actors.arbitrageur import Arbitrageur, Trade, decide
from keeper.localnet.actors.values import Holdings, Round, Sight, Tick
from keeper.localnet.protocols.uniswap import Pair
from keeper.model.units import Raw, Wei

ME, ROUTER = "0x" + "a" * 40, "0x" + "b" * 40
LOW, HIGH = "0x" + "1" * 40, "0x" + "2" * 40
prices = st.floats(1, 1e5)


@pytest.mark.parametrize(
    ("pool", "trade"),
    [
        (2_000.0, None),
        (2_000.9, None),
        (1_999.1, None),
        (2_010.0, Trade(sell_weth=True, until=2_000 / 0.9995)),
        (1_990.0, Trade(sell_weth=False, until=2_000 * 0.9995)),
    ],
)
def test_decides_by_the_fee(pool: float, trade: Trade | None) -> None:
    assert decide(pool, 2_000.0) == trade


@given(prices, prices)
def test_is_satisfied_where_it_stops(pool: float, market: float) -> None:
    trade = decide(pool, market)
    if trade is not None:
        assert decide(trade.until, market) is None
        assert trade.sell_weth == (pool > market)


@pytest.mark.parametrize("pair", [Pair(LOW, HIGH), Pair(HIGH, LOW)], ids=["weth0", "weth1"])
@given(pool=prices, market=prices)
def test_the_limit_lies_on_the_way(pair: Pair, pool: float, market: float) -> None:
    """Whichever token comes first, the limit is between the pool's price and the market's: the pool accepts it."""
    now = pair.scale.sqrt_price_x96(pool)
    sent = Arbitrageur(ME, ROUTER, pair).act(_sight(now), Tick(0, 1, market, True))
    if not sent:
        assert pair.scale.price_usd(now) == pytest.approx(market, rel=0.0006)
        return
    word = sent[0].data[10:]
    token_in, limit = int(word[:64], 16), int(word[7 * 64 :], 16)
    sells_weth = token_in == int(pair.weth, 16)
    assert sells_weth == (pool > market)
    falls = token_in == int(pair.sorted[0], 16)
    assert limit < now if falls else limit > now
    assert pair.scale.price_usd(limit) == pytest.approx(market, rel=0.0006)


def test_sends_nothing_without_means() -> None:
    pair = Pair(LOW, HIGH)
    seen = _sight(pair.scale.sqrt_price_x96(2_100), Holdings(Raw(0), Raw(5)))
    assert Arbitrageur(ME, ROUTER, pair).act(seen, Tick(0, 1, 2_000, True)) == ()


def _sight(sqrt_price: int, held: Holdings = Holdings(Raw(10**24), Raw(10**15))) -> Sight:  # noqa: B008 - frozen
    return Sight(
        number=1,
        block_hash="0x",
        timestamp=1,
        base_fee_wei=Wei(1),
        pool_sqrt_price_x96=sqrt_price,
        eth_usd=Round(1, 1, 1),
        usdc_usd=Round(1, 1, 1),
        holdings={ME: held},
        debtors=(),
        nonces={},
    )
