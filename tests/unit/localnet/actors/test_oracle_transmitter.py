"""The transmitter answers on deviation or heartbeat, never while offline."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.localnet.actors.oracle_transmitter import ETH_USD_RULE, OracleTransmitter
from keeper.localnet.actors.values import Round, Sight, Tick
from keeper.model.units import Wei

ORACLE, ETH_FEED, USDC_FEED = ("0x" + c * 40 for c in "abc")
NOW = 1_700_000_000
UNIT = 10**8


def sight(eth: int = 2_000 * UNIT, eth_age: int = 0, usdc_age: int = 0) -> Sight:
    return Sight(
        number=1,
        block_hash="0x",
        timestamp=NOW - 12,
        base_fee_wei=Wei(1),
        pool_sqrt_price_x96=1,
        eth_usd=Round(7, eth, NOW - eth_age),
        usdc_usd=Round(9, UNIT, NOW - usdc_age),
        holdings={},
        debtors=(),
        nonces={},
    )


def orders(seen: Sight, price: float, *, online: bool = True) -> list[tuple[str, int, int]]:
    """(feed, round, answer) of what is sent."""
    actor = OracleTransmitter(ORACLE, ETH_FEED, USDC_FEED)
    sent = actor.act(seen, Tick(0, NOW, price, online))
    return [(o.to, int(o.data[10:74], 16), int(o.data[74:138], 16)) for o in sent]


@pytest.mark.parametrize(
    ("price", "age", "speaks"),
    [
        (2_000.0, 0, False),
        (2_010.0, 12, False),  # exactly the deviation is not over it
        (2_010.01, 12, True),
        (1_989.99, 12, True),
        (1_700.0, 12, True),
        (2_000.0, 3_599, False),
        (2_000.0, 3_600, True),
    ],
)
def test_speaks_over_half_a_percent_or_after_an_hour(price: float, age: int, speaks: bool) -> None:
    wanted = [(ETH_FEED, 8, round(price * UNIT))] if speaks else []
    assert orders(sight(eth_age=age), price) == wanted


def test_the_dollar_has_its_own_heartbeat() -> None:
    assert orders(sight(usdc_age=3_600), 2_000.0) == [(USDC_FEED, 10, UNIT)]


def test_both_feeds_may_be_due_at_once() -> None:
    assert len(orders(sight(eth_age=4_000, usdc_age=4_000), 2_000.0)) == 2


def test_says_nothing_while_offline() -> None:
    assert orders(sight(eth_age=9_999, usdc_age=9_999), 1_000.0, online=False) == []


@given(st.integers(1, 10**15), st.integers(1, 10**15))
def test_silence_means_near_enough(last: int, answer: int) -> None:
    if not ETH_USD_RULE.due(Round(1, last, NOW), answer, NOW):
        assert abs(answer - last) <= last * 0.005 + 1
