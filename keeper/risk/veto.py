"""What the answers of third-party risk modules mean for a routine plan."""

from keeper.model.decision import Refusal
from keeper.model.policy import ModulePolicy
from keeper.model.risk_report import ModuleResult, Standing


def module_refusals(results: tuple[ModuleResult, ...], policy: ModulePolicy) -> tuple[Refusal, ...]:
    """One reason for each veto, and for each module without an answer unless silence is let pass."""
    found = []
    for result in results:
        rule = f"risk module {result.module}"
        if result.veto:
            found.append(Refusal(rule, result.veto))
        elif result.standing is Standing.UNKNOWN and policy.silence_refuses:
            found.append(Refusal(rule, f"has not answered: {result.problem}"))
    return tuple(found)
