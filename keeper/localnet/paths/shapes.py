"""The generated scenarios by name, each with its shape parameters, units, defaults and bounds."""

from dataclasses import dataclass

from keeper.localnet.paths.bounds import Shape, bounded

_FRACTION = "fraction of the starting price"
_VOLATILITY = "annualised fraction"


@dataclass(frozen=True)
class Scenario(Shape):
    """What every scenario has."""

    start_price: float = bounded(2_000.0, 1.0, 1_000_000.0, "USD per ETH")
    block_seconds: int = bounded(12, 1, 3_600, "seconds between blocks")
    lead_in_s: int = bounded(600, 0, 86_400, "seconds of calm before anything happens")
    aftermath_s: int = bounded(2_400, 0, 604_800, "seconds of noise after the event")
    calm_volatility: float = bounded(0.8, 0.0, 10.0, _VOLATILITY)
    aftermath_volatility: float = bounded(3.0, 0.0, 20.0, _VOLATILITY)


@dataclass(frozen=True)
class Crash(Scenario):
    """Falls in a few waves within about an hour, then stays down."""

    fall: float = bounded(0.45, 0.01, 0.95, _FRACTION)
    fall_s: int = bounded(3_600, 60, 604_800, "seconds")
    waves: int = bounded(3, 1, 20, "waves of selling")
    bounce: float = bounded(0.25, 0.0, 0.9, "fraction of a wave recovered before the next")
    crash_volatility: float = bounded(6.0, 0.0, 20.0, _VOLATILITY)


@dataclass(frozen=True)
class CrashAndRebound(Crash):
    """Falls like a crash and wins back a part of it."""

    fall: float = bounded(0.42, 0.01, 0.95, _FRACTION)
    fall_s: int = bounded(3_000, 60, 604_800, "seconds")
    aftermath_s: int = bounded(1_200, 0, 604_800, "seconds of noise after the event")
    rebound: float = bounded(0.6, 0.0, 1.5, "fraction of the fall won back")
    rebound_s: int = bounded(2_100, 60, 604_800, "seconds")


@dataclass(frozen=True)
class GrindDown(Crash):
    """Falls slowly for hours without ever looking like a crash."""

    block_seconds: int = bounded(36, 1, 3_600, "seconds between blocks")
    lead_in_s: int = bounded(1_200, 0, 86_400, "seconds of calm before anything happens")
    aftermath_s: int = bounded(1_800, 0, 604_800, "seconds of noise after the event")
    fall: float = bounded(0.42, 0.01, 0.95, _FRACTION)
    fall_s: int = bounded(18_000, 60, 604_800, "seconds")
    waves: int = bounded(6, 1, 20, "waves of selling")
    bounce: float = bounded(0.15, 0.0, 0.9, "fraction of a wave recovered before the next")
    crash_volatility: float = bounded(2.0, 0.0, 20.0, _VOLATILITY)


@dataclass(frozen=True)
class Gap(Crash):
    """Loses much of its price from one block to the next, then goes on falling."""

    fall: float = bounded(0.42, 0.01, 0.95, _FRACTION + ", gap included")
    gap: float = bounded(0.15, 0.0, 0.9, "fraction lost within one block")
    pause_s: int = bounded(120, 0, 86_400, "seconds between the gap and the further fall")
    waves: int = bounded(2, 1, 20, "waves of selling")


@dataclass(frozen=True)
class OracleStall(Crash):
    """The oracle falls silent in the middle of a fall, long enough to become stale, and comes back with a jump."""

    block_seconds: int = bounded(24, 1, 3_600, "seconds between blocks")
    fall: float = bounded(0.42, 0.01, 0.95, _FRACTION + ", everything included")
    fall_s: int = bounded(3_600, 60, 604_800, "seconds of further fall after the oracle is back")
    aftermath_s: int = bounded(2_400, 0, 604_800, "seconds of noise after the event")
    first_fall: float = bounded(0.06, 0.0, 0.9, _FRACTION + ", before the stall")
    first_fall_s: int = bounded(900, 60, 86_400, "seconds")
    stall_fall: float = bounded(0.15, 0.0, 0.9, "fraction lost while the oracle is silent")
    stall_s: int = bounded(4_800, 60, 86_400, "seconds without a transmission; stale after 3,900")
    pause_s: int = bounded(
        600, 0, 86_400, "seconds between the return of the oracle and the further fall"
    )
    waves: int = bounded(2, 1, 20, "waves of selling")
    crash_volatility: float = bounded(4.0, 0.0, 20.0, _VOLATILITY)


@dataclass(frozen=True)
class Calm(Scenario):
    """Nothing happens."""

    lead_in_s: int = bounded(3_600, 12, 604_800, "seconds of calm")
    aftermath_s: int = bounded(0, 0, 604_800, "seconds of noise after it")


SCENARIOS: dict[str, type[Scenario]] = {
    "crash": Crash,
    "crash_and_rebound": CrashAndRebound,
    "grind_down": GrindDown,
    "gap": Gap,
    "oracle_stall": OracleStall,
    "calm": Calm,
}
"""Scenario names as a person gives them."""
