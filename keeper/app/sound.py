"""A strategy that runs in the keeper's own process: what goes wrong in it is a reason to hold still, and said."""

from keeper.model.decision import NO_DECISION, Lane, Target
from keeper.model.market import MarketState
from keeper.model.ports import Strategy
from keeper.model.risk import RiskReport
from keeper.model.soundness import unsound

_LONGEST = 400


class SoundStrategy:
    """The strategy itself, but that whatever it raises, and every target that cannot be meant, is a hold with the cause
    in its reason. The same for the same inputs, so that a replay decides alike (K-07).

    It cannot end a strategy that hangs: those of other packages run in processes of their own (keeper.hosted).
    """

    def __init__(self, own: Strategy) -> None:
        self.own = own

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """Its target, or a hold that says why there is none."""
        try:
            target = self.own(market, risk)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - any of them, and the vault holds still
            return held(f"{_name(self.own)} raised {type(error).__name__}: {error}")
        problem = unsound(target)
        return held(f"{_name(self.own)} {problem}") if problem else target


def held(problem: str) -> Target:
    """Nothing is wanted, and why."""
    plain = "".join(c if c.isprintable() else " " for c in problem)[:_LONGEST]
    return Target(Lane.ROUTINE, None, None, f"{NO_DECISION}: strategy {plain}")


def _name(strategy: Strategy) -> str:
    return getattr(strategy, "__qualname__", type(strategy).__qualname__)
