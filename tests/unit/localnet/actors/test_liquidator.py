"""The liquidator takes all that the venue allows and no more than it can pay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.localnet.actors.liquidator import BONUS, Liquidation, Liquidator, Prices, decide
from keeper.localnet.actors.values import Debtor, Holdings, Round, Sight, Tick
from keeper.model.units import MAX_UINT256, WAD, Raw, Wad, Wei

WHO, OTHER, ME, POOL, WETH, USDC = ("0x" + c * 40 for c in "123456")
PRICES = Prices(weth=2_000.0, usdc=1.0)
RICH = Holdings(Raw(10**24), Raw(10**15))
UNIT = 10**8


def long_weth(debt_usd: float, threshold_bps: int = 8_300, who: str = WHO) -> Debtor:
    """100 WETH of collateral (200,000 USD) against a debt in dollars."""
    health = 200_000 * threshold_bps / 10_000 / debt_usd
    return Debtor(
        account=who,
        health_wad=Wad(int(health * WAD)),
        threshold_bps=threshold_bps,
        supplied=Holdings(Raw(100 * 10**18), Raw(0)),
        owed=Holdings(Raw(0), Raw(int(debt_usd * 10**6))),
    )


@pytest.mark.parametrize("debt", [10_000.0, 150_000.0, 166_000.0])
def test_leaves_the_healthy_alone(debt: float) -> None:
    assert decide(long_weth(debt), PRICES, RICH) == ()


def test_repays_dollars_and_seizes_weth() -> None:
    first = decide(long_weth(167_000), PRICES, RICH)[0]
    assert first == Liquidation(WHO, seize_weth=True, repay_weth=False, cover=Raw(MAX_UINT256))


def test_a_short_is_liquidated_the_other_way() -> None:
    short = Debtor(
        account=WHO,
        health_wad=Wad(WAD * 99 // 100),
        threshold_bps=8_000,
        supplied=Holdings(Raw(0), Raw(200_000 * 10**6)),
        owed=Holdings(Raw(80 * 10**18), Raw(0)),
    )
    call = decide(short, PRICES, RICH)[0]
    assert (call.seize_weth, call.repay_weth) == (False, True)


def test_calls_again_only_while_the_account_stays_liquidatable() -> None:
    """One call heals a slightly bad account; half of a debt at health 0.955 is not always enough."""
    assert len(decide(long_weth(167_000), PRICES, RICH)) == 1
    assert len(decide(long_weth(173_000, threshold_bps=8_265), PRICES, RICH)) == 1
    stubborn = decide(long_weth(199_000, threshold_bps=9_550), PRICES, RICH)
    assert len(stubborn) > 1


def test_poor_means_a_part_and_none_means_nothing() -> None:
    poor = Holdings(Raw(0), Raw(1_010 * 10**6))
    (call,) = decide(long_weth(167_000), PRICES, poor)
    assert 990 * 10**6 <= call.cover <= 1_000 * 10**6
    assert decide(long_weth(167_000), PRICES, Holdings(Raw(10**24), Raw(0))) == ()


@given(
    st.floats(1_000, 1_000_000),
    st.integers(5_000, 9_500),
    st.floats(10, 1e6).map(lambda usd: Holdings(Raw(0), Raw(int(usd * 10**6)))),
)
def test_never_offers_more_than_it_has(debt: float, threshold: int, funds: Holdings) -> None:
    calls = decide(long_weth(debt, threshold), PRICES, funds)
    assert len(calls) <= 4
    explicit = [call.cover for call in calls if call.cover != MAX_UINT256]
    assert sum(explicit) <= funds.usdc
    if len(explicit) < len(calls):
        allowed = min(
            debt * (0.5 if long_weth(debt, threshold).health_wad > 0.95 * WAD else 1),
            200_000 / BONUS,
        )
        assert funds.usdc / 10**6 >= allowed


@pytest.mark.parametrize(("only", "calls"), [(None, 2), (frozenset({OTHER}), 1), (frozenset(), 0)])
def test_may_be_restricted_to_some(only: frozenset[str] | None, calls: int) -> None:
    liquidator = Liquidator(ME, POOL, WETH, USDC, only=only)
    seen = Sight(
        number=1,
        block_hash="0x",
        timestamp=1,
        base_fee_wei=Wei(1),
        pool_sqrt_price_x96=1,
        eth_usd=Round(1, 2_000 * UNIT, 1),
        usdc_usd=Round(1, UNIT, 1),
        holdings={ME: RICH},
        debtors=(long_weth(167_000), long_weth(167_000, who=OTHER)),
        nonces={},
    )
    orders = liquidator.act(seen, Tick(0, 1, 2_000.0, True))
    assert len(orders) == calls
    assert all(order.to == POOL and order.sender == ME for order in orders)
