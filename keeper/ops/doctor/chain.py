"""What endpoints say of themselves, judged."""

from collections.abc import Sequence
from dataclasses import dataclass

from keeper.ops.doctor.line import Line, fail, ok, warn

_LAG_BLOCKS = 3
_SKEW_SHARE = 2
"""Of the bound on heads from the future, from which on it is worth a warning."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What one endpoint answered; `problem` stands for all of it if it did not."""

    name: str
    problem: str = ""
    chain_id: int = 0
    height: int = 0
    timestamp: int = 0


def endpoints(probes: Sequence[Probe], chain_id: int, needed: int) -> list[Line]:
    """Each endpoint, and whether enough of them agree on the chain to decide."""
    best = max((p.height for p in probes if not p.problem), default=0)
    lines = [_endpoint(probe, chain_id, best) for probe in probes]
    good = sum(not p.problem and p.chain_id == chain_id for p in probes)
    if good < needed:
        found = f"{good} of {len(probes)} answer for this chain, {needed} must agree"
        lines.append(fail("endpoints", found, "repair or replace endpoints before the keeper acts"))
    elif len(probes) < 3:
        found = f"{len(probes)} in all: one that lies or stalls cannot be told from a good one"
        lines.append(
            warn("endpoints", found, "add [[endpoints]] of other operators, three at least")
        )
    return lines


def _endpoint(probe: Probe, chain_id: int, best: int) -> Line:
    check = f"endpoint {probe.name}"
    if probe.problem:
        return fail(check, probe.problem, "check its address, its key and that it is up")
    if probe.chain_id != chain_id:
        found = f"serves chain {probe.chain_id}, the settings say {chain_id}"
        return fail(check, found, "correct its address or chain_id")
    if best - probe.height > _LAG_BLOCKS:
        found = f"is {best - probe.height} blocks behind the best"
        return warn(check, found, "let it synchronise, or leave it out")
    return ok(check, f"chain {probe.chain_id}, block {probe.height}")


def clock(newest: int, now: float, max_age_s: int, max_ahead_s: int) -> Line:
    """The newest head by this machine's clock; `newest` is 0 if no endpoint answered."""
    if not newest:
        return fail("clock", "no head to compare it with", "repair the endpoints first")
    age_s = now - newest
    if age_s > max_age_s:
        remedy = "set the clock (timedatectl), or wait until the chain moves"
        return fail("clock", f"the newest head is {age_s:.0f} s old", remedy)
    if -age_s > max_ahead_s:
        found = f"the newest head is {-age_s:.0f} s ahead of this clock"
        return fail("clock", found, "set the clock (timedatectl set-ntp true)")
    if -age_s > max_ahead_s / _SKEW_SHARE:
        found = f"the newest head is {-age_s:.0f} s ahead of this clock"
        return warn("clock", found, "set the clock (timedatectl set-ntp true)")
    if age_s < 0:
        return ok(
            "clock", f"the newest head is {-age_s:.0f} s ahead; tick.max_head_ahead_s allows it"
        )
    return ok("clock", f"the newest head is {age_s:.0f} s old")
