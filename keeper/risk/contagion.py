"""What the failure of one thing costs, with all that depends on it.

A failure travels along dependences: what it does to a node is the greatest product of severities over all paths to
it. Products never grow, so cycles change nothing and the search ends. The loss is the sum over nodes of what each
holds times how far it fails, at most the vault's NAV (debts to a failed venue die with it).

What stands behind the default graph: the vault's oracle fails with either feed, the sequencer, or the pool that
gives its second source; a wrong oracle lets the lending venue liquidate (its bonus on the debt) and options be
settled wrongly (all of their collateral); a stablecoin's failure empties the pool and leaves a hole in the venue
that lends it, as deep as the depeg.
"""

import heapq
from collections.abc import Iterable

from keeper.model.exposure import ASSET, Dependence, Exposure, Kind, RiskInputs
from keeper.model.market import Readings
from keeper.model.risk_report import FailureCost, Share
from keeper.model.units import BPS
from keeper.risk.exposures import IDLE, LENDING, OPTIONS

FEEDS = ("feed:base", "feed:quote", "sequencer")
ORACLE, POOL = "oracle", "pool"
NO_SEQUENCER = "0x" + "00" * 20


def severities(
    node: str, dependences: Iterable[Dependence]
) -> dict[str, tuple[float, tuple[str, ...]]]:
    """Of everything that fails with `node`: how far, and along which path; `node` itself fails wholly."""
    onward: dict[str, list[Dependence]] = {}
    for d in dependences:
        onward.setdefault(d.upstream, []).append(d)
    done: dict[str, tuple[float, tuple[str, ...]]] = {}
    queue: list[tuple[float, tuple[str, ...]]] = [(-1.0, (node,))]
    while queue:
        minus, path = heapq.heappop(queue)
        if path[-1] in done:
            continue
        done[path[-1]] = (-minus, path)
        for d in onward.get(path[-1], ()):
            reached = -minus * min(1.0, max(0.0, d.severity))
            if reached > 0.0 and d.downstream not in done:
                heapq.heappush(queue, (-reached, (*path, d.downstream)))
    return done


def contagion_of(
    readings: Readings,
    exposures: tuple[Exposure, ...],
    values: tuple[float, ...],
    inputs: RiskInputs,
    *,
    nav: float,
    depeg_loss: float,
) -> tuple[FailureCost, ...]:
    """Every node's failure, dearest first; values: of the exposures; depeg_loss: of the policy's depeg, assets."""
    held = _held(exposures, values)
    held[ASSET] = max(0.0, depeg_loss)
    edges = (*_default_edges(readings, exposures, values, inputs), *inputs.dependences)
    nodes = sorted({*held, *(n for d in edges for n in (d.upstream, d.downstream))})
    found = [_cost(node, severities(node, edges), held, nav) for node in nodes]
    return tuple(sorted(found, key=lambda f: (-f.total, f.node)))


def _held(exposures: tuple[Exposure, ...], values: tuple[float, ...]) -> dict[str, float]:
    """What would be lost at each venue: its net value, if positive. The vault itself is no venue."""
    net: dict[str, float] = {}
    for e, value in zip(exposures, values, strict=True):
        if e.venue != IDLE and e.kind is not Kind.REQUEST:
            net[e.venue] = net.get(e.venue, 0.0) + value
    return {venue: max(0.0, value) for venue, value in net.items()}


def _cost(
    node: str,
    reached: dict[str, tuple[float, tuple[str, ...]]],
    held: dict[str, float],
    nav: float,
) -> FailureCost:
    losses = {name: severity * held.get(name, 0.0) for name, (severity, _) in reached.items()}
    heaviest = max(losses, key=lambda name: (losses[name], len(reached[name][1]), name))
    most = max(0.0, nav)
    total = min(most, sum(losses.values()))
    return FailureCost(
        node,
        min(most, losses[node]),
        total,
        total / nav if nav > 0.0 else None,
        tuple(
            Share(name, severity)
            for name, (severity, _) in sorted(reached.items(), key=lambda i: (-i[1][0], i[0]))
            if name != node
        ),
        reached[heaviest][1],
    )


def _default_edges(
    readings: Readings,
    exposures: tuple[Exposure, ...],
    values: tuple[float, ...],
    inputs: RiskInputs,
) -> tuple[Dependence, ...]:
    penalty = liquidation_penalty(readings, exposures, values)
    equity = _held(exposures, values).get(LENDING, 0.0)
    feeds = FEEDS if readings.price.sequencer.feed != NO_SEQUENCER else FEEDS[:2]
    found = [Dependence(feed, ORACLE, 1.0) for feed in feeds]
    found += [Dependence(POOL, ORACLE, 1.0), Dependence(ASSET, POOL, 1.0)]
    if equity > 0.0:
        found.append(Dependence(ORACLE, LENDING, min(1.0, penalty / equity)))
        found.append(Dependence(ASSET, LENDING, inputs.policy.depeg))
    if any(e.venue == OPTIONS for e in exposures):
        found.append(Dependence(ORACLE, OPTIONS, 1.0))
    found += [Dependence(ORACLE, venue.id, venue.maintenance) for venue in inputs.margin_venues]
    return tuple(found)


def liquidation_penalty(
    readings: Readings, exposures: tuple[Exposure, ...], values: tuple[float, ...]
) -> float:
    """What liquidating all debt would cost: the greatest bonus of the collateral, assets.

    The bonus is read as Aave gives it, 10,500 for 5 %.
    """
    debt = -sum(
        value
        for e, value in zip(exposures, values, strict=True)
        if e.venue == LENDING and e.kind is Kind.LOAN
    )
    bonus = max(
        (
            max(0, position.liquidation_bonus_bps - BPS)
            for position in (readings.asset_position, readings.base_position)
            if position.supplied
        ),
        default=0,
    )
    return debt * bonus / BPS
