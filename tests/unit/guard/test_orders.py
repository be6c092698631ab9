"""Orders go to connected venues only, and at prices that may be traded on."""

from dataclasses import replace

from keeper.guard import check
from keeper.model.decision import Lane, Order, Plan, Target
from keeper.model.units import Wad
from keeper.planning import make_plan
from keeper.risk import assess
from tests.builders import guard_policy, make_market, planning_policy

MARKET = make_market()
HOLD = Target(Lane.ROUTINE, None, None, "calm")
CONNECTED = replace(guard_policy(), connected_venues=("perp",))


def plan_of(*orders: Order) -> Plan:
    nothing = make_plan(MARKET, assess(MARKET), HOLD, planning_policy())
    return replace(nothing, orders=orders)


def order(venue: str = "perp", quantity: int = 5, price: int = 2_000 * 10**18) -> Order:
    return Order(venue, "ETH-PERP", quantity, Wad(price), "hedge")


def rules(plan: Plan, *, connected: bool = True, faults: tuple[str, ...] = ()) -> list[str]:
    policy = CONNECTED if connected else guard_policy()
    return [r.rule for r in check(plan, replace(MARKET, faults=faults), policy).refusals]


def test_an_order_for_a_connected_venue_passes() -> None:
    assert rules(plan_of(order())) == []


def test_every_venue_that_is_not_connected_is_named_once() -> None:
    plan = plan_of(order(), order("b"), order("a"), order("a"))
    assert rules(plan) == ["order-venue", "order-venue"]
    assert rules(plan, connected=False) == ["order-venue"] * 3


def test_an_order_of_nothing_is_refused() -> None:
    assert rules(plan_of(order(quantity=0))) == ["order"]


def test_a_price_that_must_not_be_traded_on_stops_priced_orders_only() -> None:
    assert rules(plan_of(order()), faults=("stale",)) == ["order-price"]
    assert rules(plan_of(order(price=0)), faults=("stale",)) == []
    protective = replace(plan_of(order()), lane=Lane.PROTECTIVE)
    assert rules(protective, faults=("stale",)) == []


def test_orders_do_not_excuse_the_moves_beside_them() -> None:
    market = make_market()
    target = Target(Lane.PROTECTIVE, Wad(3 * 10**18), None, "safer")
    plan = make_plan(market, assess(market), target, planning_policy())
    assert plan.moves
    refused = replace(market, faults=("stale",))
    both = replace(plan, orders=(order("nowhere"),))
    found = [r.rule for r in check(both, refused, CONNECTED).refusals]
    assert "order-venue" in found
    assert "price" in found
