"""Recorded readings decided again by the pure stages alone (K-07): the plan must come out identical."""

from collections.abc import Iterable
from dataclasses import dataclass

from keeper.loop import TickRecord
from keeper.market import build_market
from keeper.model.policy import Policies
from keeper.model.ports import Strategy
from keeper.planning import make_plan
from keeper.risk import assess


@dataclass(frozen=True, slots=True)
class Again:
    """How often the same readings gave the same plan."""

    decided: int
    identical: int
    first_different: int | None
    """Time of the first block where they did not."""


def decided_again(records: Iterable[TickRecord], strategy: Strategy, policies: Policies) -> Again:
    """From readings, outlook and holdings to market, risk, target and plan, beside what was recorded."""
    decided = identical = 0
    different: int | None = None
    for record in records:
        seen = record.market
        if seen is None or record.plan is None or record.risk is None:
            continue
        decided += 1
        market = build_market(seen.readings, policies.market, seen.outlook, seen.holdings)
        risk = assess(market, policies.risk)
        target = strategy(market, risk)
        plan = make_plan(market, risk, target, policies.planning)
        if (market, target, plan) == (seen, record.target, record.plan):
            identical += 1
        elif different is None:
            different = seen.readings.block.timestamp
    return Again(decided, identical, different)
