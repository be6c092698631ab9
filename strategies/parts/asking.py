"""Asking a strategy inside another: what goes wrong in it is its own."""

from keeper.model.decision import NO_DECISION, Target
from keeper.model.market import MarketState
from keeper.model.ports import Strategy
from keeper.model.risk import RiskReport
from keeper.model.soundness import unsound
from strategies.parts.targets import hold

LONGEST_PROBLEM = 200


def asked(part: Strategy, market: MarketState, risk: RiskReport) -> Target:
    """A part's answer; where it raises, or says what cannot be meant, a hold: the others are heard all the same."""
    try:
        target = part(market, risk)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, guards before and hedges after it must act
        problem = f"raised {type(error).__name__}: {error}"
    else:
        problem = unsound(target)
        if not problem:
            return target
    plain = "".join(c if c.isprintable() else " " for c in problem)[:LONGEST_PROBLEM]
    return hold(f"{NO_DECISION}: {type(part).__name__} {plain}")
