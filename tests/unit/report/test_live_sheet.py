"""A live keeper's past as a tear sheet: the parts add up, flows are no gains, gas is paid."""

from dataclasses import replace

import numpy as np
import pytest

from keeper.errors import QuantityError
from keeper.model.decision import Lane, Move, MoveKind
from keeper.model.past import Done, Seen
from keeper.model.units import Raw
from keeper.report.live_sheet import live_sheet
from keeper.report.performance import DAY_S
from keeper.risk import assess
from tests.builders import NOW, dollars, ether, make_market, make_readings
from tests.unit.execution.intents import make_plan

NAMES = ("USDC", "WETH")
WHOLE_SHARE = 10**18


def seen(day: float, price: float, shares: float = 1_000_000, **holdings: float) -> Seen:
    readings = make_readings(price=price, **holdings)  # type: ignore[arg-type]
    block = replace(readings.block, number=int(100 + day), timestamp=NOW + int(day * DAY_S))
    readings = replace(readings, block=block, total_shares=int(shares * WHOLE_SHARE))
    market = make_market(readings)
    return Seen(market, assess(market))


def test_parts_add_up_to_the_change_of_nav_after_gas() -> None:
    states = [seen(d, p) for d, p in enumerate((2_000, 2_100, 1_900, 2_050))]
    done = Done(states[1].market, make_plan(), effect=True, gas_wei=10**17, loss=None)
    sheet = live_sheet(states, [done], names=NAMES, command="x")
    change = sheet.nav[-1] - sheet.nav[0]
    parts = dict(sheet.parts)
    assert parts["gas"] == pytest.approx(-0.1 * 2_100)
    assert sum(parts.values()) == pytest.approx(change + parts["gas"])
    # 1,500 WETH of exposure through a rise of 50 dollars
    assert parts["delta"] == pytest.approx(1_500 * 50)
    assert change == pytest.approx(1_500 * 50)
    assert parts["residual"] == pytest.approx(-parts["carry"])


def test_a_share_pays_for_gas() -> None:
    states = [seen(d, 2_000) for d in range(4)]
    done = Done(states[2].market, make_plan(), effect=False, gas_wei=10**18, loss=None)
    sheet = live_sheet(states, [done], names=NAMES, command="x")
    assert sheet.equity[1] == sheet.equity[0]
    assert sheet.equity[3] == pytest.approx(sheet.equity[0] - 2_000 / 1_000_000)
    assert sheet.equity[2] == sheet.equity[3]  # from the sample that saw it in a block
    assert sheet.trades == ()


def test_carry_is_what_is_earned_less_what_is_owed() -> None:
    states = [seen(d, 2_000) for d in range(3)]
    readings = states[0].market.readings
    asset, base = readings.asset_position, readings.base_position
    earned = base.supplied * base.supply_rate_ray / 10**27 / 10**18 * 2_000
    owed = asset.debt * asset.borrow_rate_ray / 10**27 / 10**6
    assert owed > 0
    sheet = live_sheet(states, [], names=NAMES, command="x")
    assert dict(sheet.parts)["carry"] == pytest.approx((earned - owed) * 2 / 365)


def test_a_deposit_comes_in_at_the_value_of_a_share_then() -> None:
    """A share that gained a tenth before somebody joined: his money is a flow, and the tenth a gain."""
    plain = {"supplied_base": 0, "debt_asset": 0}
    before = seen(0, 2_000, shares=200_000, idle_base=100, **plain)
    after = seen(1, 2_200, shares=400_000, idle_base=100, idle_asset=220_000, **plain)
    parts = dict(live_sheet([before, after], [], names=NAMES, command="x").parts)
    assert parts["delta"] == pytest.approx(20_000)
    assert parts["residual"] == pytest.approx(-parts["carry"], abs=1e-3)


def test_a_deposit_is_a_flow_and_no_gain() -> None:
    before = [seen(d, 2_000) for d in range(2)]
    after = [seen(d, 2_000, shares=2_000_000, idle_asset=1_000_000) for d in (2, 3)]
    sheet = live_sheet([*before, *after], [], names=NAMES, command="x")
    assert sheet.nav[-1] == pytest.approx(2 * sheet.nav[0])
    np.testing.assert_allclose(sheet.equity, sheet.equity[0])
    assert dict(sheet.parts)["residual"] == pytest.approx(-dict(sheet.parts)["carry"], abs=1e-6)


def test_swaps_are_trades_with_their_side_size_and_cost() -> None:
    states = [seen(d, 2_000) for d in range(2)]
    readings = states[0].market.readings
    sells = Move(MoveKind.SWAP, "0x", readings.base.address, ether(3), Raw(0))
    buys = Move(MoveKind.SWAP, "0x", readings.asset.address, dollars(1_000), Raw(0))
    plan = replace(make_plan(Lane.PROTECTIVE), expected_loss=dollars(7))
    done = [
        Done(states[0].market, replace(plan, moves=(sells,)), True, 10**16, loss=dollars(9)),
        Done(states[0].market, replace(plan, moves=(buys,)), True, 0, loss=None),
        Done(states[0].market, replace(plan, moves=(buys,)), False, 0, loss=None),
    ]
    sheet = live_sheet(states, done, names=NAMES, command="x")
    sold, bought = sheet.trades
    assert (sold.quantity, sold.protective) == (-3.0, True)
    assert sold.cost == pytest.approx(9 + 20)
    assert (bought.quantity, bought.cost) == (0.5, 7.0)
    assert "cost of 1 rebalances is what was expected" in sheet.notes[0]


def test_a_state_without_a_usable_price_is_left_out() -> None:
    blind = seen(1, 2_000)
    blind = replace(blind, risk=replace(blind.risk, nav=None))
    sheet = live_sheet([seen(0, 2_000), blind, seen(2, 2_000)], [], names=NAMES, command="x")
    assert sheet.times.tolist() == [NOW, NOW + 2 * DAY_S]
    assert dict(sheet.facts)["states shown"].startswith("2 of 3")
    with pytest.raises(QuantityError, match="holds 1 usable states"):
        live_sheet([seen(0, 2_000), blind], [], names=NAMES, command="x")
