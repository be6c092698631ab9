"""What an endpoint's past says of it: how good it is, and whether it is asked at all. No clock, no network."""

from dataclasses import dataclass, field, replace
from enum import StrEnum


class Role(StrEnum):
    """What an endpoint is used for."""

    READ = "read"
    WRITE = "write"
    BOTH = "both"


class Fault(StrEnum):
    """Why an endpoint is left out."""

    NONE = ""
    FAILING = "failing"
    LAGGING = "lagging"
    FORKED = "on another fork"
    LYING = "lying"
    WRONG_CHAIN = "wrong chain"


@dataclass(frozen=True, slots=True)
class QuarantinePolicy:
    """When an endpoint is left out, and for how long. Each further time doubles the pause."""

    errors: int = 3
    """Failures in a row."""
    lag_blocks: int = 5
    """Behind the agreed head."""
    strikes: int = 3
    """Agreed heads in a row that an endpoint lags behind by more, or sees another block for."""
    failing_s: float = 2.0
    failing_max_s: float = 60.0
    lying_s: float = 600.0
    lying_max_s: float = 86_400.0


@dataclass(frozen=True, slots=True)
class EndpointState:
    """One endpoint as it stands, for people and metrics."""

    name: str
    role: Role = Role.BOTH
    height: int = 0
    """Newest block it told of."""
    lag: int = 0
    """Blocks behind the agreed head."""
    errors: int = 0
    """Failures in a row."""
    error_rate: float = 0.0
    """Of the last requests, from 0 to 1, the newer ones weighing more."""
    latency: float = 0.0
    """Seconds, of the last answers, the newer ones weighing more."""
    quarantined_until: float = 0.0
    """By the pool's clock; it is asked again after this."""
    fault: Fault = Fault.NONE
    detail: str = ""
    lies: int = 0
    quarantines: int = 0
    """In a row, without an answer in between that stood."""
    forks: int = field(default=0, repr=False)
    lags: int = field(default=0, repr=False)
    weight: float = 1.0

    def open(self, now_s: float) -> bool:
        """Not in quarantine."""
        return now_s >= self.quarantined_until

    @property
    def cost(self) -> float:
        """What asking it costs, in seconds as it were: the least is asked first.

        Latency, stretched by errors and past lies, and a quarter of a second for each block of lag, over weight.
        """
        stretched = (self.latency + 0.001) * (1 + 20 * self.error_rate + 100 * self.lies)
        return (stretched + 0.25 * self.lag + 0.5 * self.errors) / self.weight


_NEWEST = 0.2
"""Weight of the newest observation in a moving average."""


def answered(state: EndpointState, latency_s: float) -> EndpointState:
    """After an answer, of whatever content."""
    seen = state.latency or latency_s
    return replace(
        state,
        errors=0,
        error_rate=state.error_rate * (1 - _NEWEST),
        latency=seen + _NEWEST * (latency_s - seen),
    )


def failed(
    state: EndpointState, policy: QuarantinePolicy, now_s: float, detail: str
) -> EndpointState:
    """After no answer, or nonsense."""
    state = replace(
        state, errors=state.errors + 1, error_rate=state.error_rate * (1 - _NEWEST) + _NEWEST
    )
    if state.errors < policy.errors:
        return state
    return _paused(state, policy, now_s, Fault.FAILING, detail)


def reached(state: EndpointState, height: int) -> EndpointState:
    """After it told of a block: the newest counts, also when it is lower than before."""
    return replace(state, height=height)


def agreed(
    state: EndpointState, policy: QuarantinePolicy, now_s: float, head: int, *, same: bool
) -> EndpointState:
    """After a head was agreed on: `same` if the endpoint has that very block, or none of this height yet."""
    lag = max(0, head - state.height)
    lags = state.lags + 1 if lag > policy.lag_blocks else 0
    forks = 0 if same else state.forks + 1
    state = replace(state, lag=lag, lags=lags, forks=forks)
    if forks >= policy.strikes:
        state = replace(state, forks=0)
        return _paused(state, policy, now_s, Fault.FORKED, f"another block {head}")
    if lags >= policy.strikes:
        state = replace(state, lags=0)
        return _paused(state, policy, now_s, Fault.LAGGING, f"{lag} blocks behind")
    if same and lag <= policy.lag_blocks and state.fault not in {Fault.NONE, Fault.LYING}:
        return replace(state, fault=Fault.NONE, detail="", quarantines=0)
    return state


def lied(
    state: EndpointState, policy: QuarantinePolicy, now_s: float, detail: str, fault: Fault
) -> EndpointState:
    """After an answer that the majority contradicts at the same block hash, or one of another chain."""
    pause_s = min(policy.lying_s * 2.0 ** min(state.lies, 20), policy.lying_max_s)
    return replace(
        state,
        lies=state.lies + 1,
        fault=fault,
        detail=detail,
        quarantined_until=max(state.quarantined_until, now_s + pause_s),
    )


def _paused(
    state: EndpointState, policy: QuarantinePolicy, now_s: float, fault: Fault, detail: str
) -> EndpointState:
    pause_s = min(policy.failing_s * 2.0 ** min(state.quarantines, 20), policy.failing_max_s)
    return replace(
        state,
        fault=fault,
        detail=detail,
        quarantines=state.quarantines + 1,
        quarantined_until=max(state.quarantined_until, now_s + pause_s),
    )
