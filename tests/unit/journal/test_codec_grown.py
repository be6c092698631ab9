"""What a strategy may know and want has grown; rows written before still read as what was known then."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.journal.codec import decode, encode
from keeper.model.decision import (
    Lane,
    OptionTarget,
    Order,
    PerpetualTarget,
    Plan,
    SupplyTarget,
    Target,
)
from keeper.model.exposure import Exposure, Kind
from keeper.model.outlook import NO_OUTLOOK, Funding, LendingRate, Outlook, PoolQuote, Smile
from keeper.model.units import Raw, Wad
from keeper.planning import make_plan
from keeper.risk import assess
from tests.builders import ASSET, NOW, make_market, planning_policy

HOLD = Target(Lane.ROUTINE, None, None, "calm")
FRACTION = st.floats(-2, 2)


def without(value: Any, *names: str) -> Any:
    """The value as a row without these fields gives it back."""
    plain = json.loads(encode(value))
    for name in names:
        del plain[name]
    return decode(json.dumps(plain))


def test_an_old_market_state_had_no_outlook_and_no_holdings() -> None:
    market = make_market()
    old = without(market, "outlook", "holdings")
    assert old == market
    assert (old.outlook, old.holdings) == (NO_OUTLOOK, ())


def test_an_old_target_left_everything_else_alone() -> None:
    old = without(HOLD, "options", "perpetuals", "supplies")
    assert old == HOLD
    assert old.hold


def test_an_old_plan_had_no_orders() -> None:
    market = make_market()
    plan = make_plan(market, assess(market), HOLD, planning_policy())
    old = without(plan, "orders")
    assert old == plan
    assert isinstance(old, Plan)
    assert old.orders == ()


@given(
    outlook=st.builds(
        Outlook,
        volatility=st.none() | FRACTION,
        regime=st.text(),
        smiles=st.lists(
            st.builds(
                Smile,
                st.integers(0, 2**40),
                FRACTION,
                st.lists(st.tuples(FRACTION, FRACTION)).map(tuple),
            ),
            max_size=2,
        ).map(tuple),
        base_fee_wei=st.none() | st.integers(0, 2**80),
        drawdown=st.none() | FRACTION,
    )
)
def test_an_outlook_comes_back_the_same(outlook: Outlook) -> None:
    whole = replace(
        outlook,
        lending=(LendingRate("aave", ASSET, 0.03, 0.05, 0.8, 0.83, Raw(10**30), Raw(1)),),
        funding=(Funding("perp", 0.1, 2_000.5, 2_000.0, 0.05, 0.0005, 1e6),),
        pools=(PoolQuote("0x90", 500, 2_000.0, 1_000.0, -7),),
    )
    held = Exposure("perp-1", Kind.PERPETUAL, "perp", "base", -3.0, entry=2_000.0)
    market = replace(make_market(), outlook=whole, holdings=(held,))
    assert decode(encode(market)) == market


@given(
    quantity=st.integers(-(2**200), 2**200),
    options=st.booleans(),
    perpetuals=st.booleans(),
    supplies=st.booleans(),
)
def test_what_is_wanted_elsewhere_comes_back_and_is_no_hold(
    quantity: int, options: bool, perpetuals: bool, supplies: bool
) -> None:
    """None leaves alone, an empty tuple wants none: the two stay apart."""
    series = OptionTarget(True, Wad(2 * 10**21), NOW + 86_400, quantity)
    target = replace(
        HOLD,
        options=(series,) if options else None,
        perpetuals=(PerpetualTarget("perp", quantity),) if perpetuals else None,
        supplies=() if supplies else None,
    )
    assert decode(encode(target)) == target
    assert target.hold == (not (options or perpetuals or supplies))


def test_a_supply_comes_back() -> None:
    target = replace(HOLD, supplies=(SupplyTarget("aave", ASSET, Raw(2**70), Raw(3)),))
    assert decode(encode(target)) == target


@pytest.mark.parametrize("quantity", [1, -(2**90)])
def test_a_plan_of_orders_alone_is_not_empty(quantity: int) -> None:
    market = make_market()
    plan = make_plan(market, assess(market), HOLD, planning_policy())
    assert plan.empty
    order = Order("perp", "ETH-PERP", quantity, Wad(2 * 10**21), "hedge")
    ordered = replace(plan, orders=(order,))
    assert not ordered.empty
    assert decode(encode(ordered)) == ordered
