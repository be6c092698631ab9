"""One account's line of nonces: who waits behind whom, and what the whole line may cost. Pure.

The transactions of several vaults may stand in one line. Whoever is first holds up all behind, so what is at risk
behind it is at risk by it, and its nonce is never given back while somebody stands behind it (K-04).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from keeper.execution.nonces import OPEN
from keeper.model.attempt import Attempt
from keeper.model.decision import Lane


@dataclass(frozen=True, slots=True)
class Urge:
    """What urges a transaction to be in: its own reasons, and those of all that wait behind it."""

    lane: Lane
    value_at_risk_wei: int
    needed_by: int
    """Unix seconds."""


def waiting_behind(last: Attempt, in_flight: Sequence[Attempt]) -> tuple[Attempt, ...]:
    """The newest attempt of each other intent with a later nonce of the account."""
    later = {
        a.intent_id: a
        for a in in_flight
        if a.nonce > last.nonce and a.intent_id != last.intent_id and a.status in OPEN
    }
    return tuple(later.values())


def urge_of(last: Attempt, in_flight: Sequence[Attempt]) -> Urge:
    """What may be paid for it, and when it has to be in: protection that waits behind it makes it as urgent."""
    behind = [a for a in waiting_behind(last, in_flight) if a.lane is Lane.PROTECTIVE]
    line = (last, *behind)
    return Urge(
        lane=Lane.PROTECTIVE if behind else last.lane,
        value_at_risk_wei=sum(a.value_at_risk_wei for a in line),
        needed_by=min(min(a.needed_by or a.deadline, a.deadline) for a in line),
    )


def committed_wei(in_flight: Sequence[Attempt], nonce: int) -> int:
    """The most that what is in flight at other nonces may cost: nodes count the whole line against the balance."""
    dearest: dict[int, int] = {}
    for attempt in in_flight:
        if attempt.nonce != nonce and attempt.status in OPEN:
            cost = attempt.gas_limit * attempt.max_fee_wei
            dearest[attempt.nonce] = max(cost, dearest.get(attempt.nonce, 0))
    return sum(dearest.values())
