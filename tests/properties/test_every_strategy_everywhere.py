"""Every strategy x every scenario x three seeds through the pipeline, with no limit broken.

Short paths here (about a block every 90 s, or days by the hour); `make gauntlet` plays every block of them.
"""

from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from keeper.backtest import run_backtest
from keeper.backtest.ends import SimulatedExecutor
from keeper.backtest.mandate import Bucket
from keeper.errors import SimulationReverted
from keeper.localnet.paths.shapes import SCENARIOS
from keeper.model.decision import Lane, PerpetualTarget, Target
from keeper.model.mandate import Terms
from keeper.model.market import MarketState
from keeper.model.ports import Strategy
from keeper.model.risk import RiskReport
from keeper.model.units import Bps, Wad
from tests.gauntlet.play import play
from tests.gauntlet.scenarios import (
    NARROW,
    Case,
    events_of,
    matrix,
    policies_of,
    strategy_of,
    vault_of,
)
from tests.gauntlet.watch import Watch, watched
from tests.unit.backtest.worlds import Erratic, Still
from tests.unit.strategies.catalogue import EVERY

SEEDS = 3


def test_the_matrix_is_whole() -> None:
    cases = matrix(SEEDS)
    assert {(c.strategy, c.scenario, c.seed) for c in cases} == {
        (strategy, scenario, seed)
        for strategy in EVERY
        for scenario in SCENARIOS
        for seed in range(SEEDS)
    }


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
@pytest.mark.parametrize("strategy", sorted(EVERY))
def test_no_strategy_breaks_a_limit_in_any_scenario(strategy: str, scenario: str) -> None:
    """V-04 to V-08, exact books, no failed tick, no plan that is refused again and again, no order that its venue
    refuses, no liquidation that a transaction in time would have avoided: after every transaction and every step."""
    for seed in range(SEEDS):
        outcome = play(Case(strategy, scenario, seed))
        said = "\n".join(str(breach) for breach in outcome.breaches[:10])
        assert not outcome.breaches, f"seed {seed}: {len(outcome.breaches)} breaches\n{said}"
        assert outcome.ticks > 0


# ------------------------------------------------------------------------------------ the watch can see


def broken(
    strategy: Strategy, *patches: Any, case: Case | None = None, terms: Terms | None = None
) -> set[str]:
    """What the watch says of a run in which something was broken on purpose, or that is held to less than `terms`."""
    case = case or Case("idle_yield", "crash", 1)
    events, first = events_of(case)
    spec = vault_of(case, first)
    with ExitStack() as stack:
        for one in patches:
            stack.enter_context(one)
        _, watch = watched(spec, events, strategy, policies_of(spec), terms=terms)
    return {breach.limit for breach in watch.breaches}


STRICT: Terms = replace(
    NARROW,
    limits=replace(
        NARROW.limits,
        max_loss_bps=Bps(1),
        max_loss_per_day_bps=Bps(1),
        min_health_wad=Wad(15 * 10**17),
        max_borrow_bps=Bps(100),
        max_swap_loss_bps=Bps(1),
    ),
    caps=replace(
        NARROW.caps,
        delta_band_bps=Bps(1_000),
        turnover_per_day_bps=Bps(100),
        cooldown_s=3_000,
        max_venue_bps=Bps(100),
        max_option_bps=Bps(1),
        protective_loss_per_day_bps=Bps(1),
    ),
    options=replace(NARROW.options, max_notional_bps=Bps(1), max_vega_bps=Bps(1)),
)


def test_a_vault_held_to_less_is_seen_to_break_every_limit() -> None:
    found = broken(Erratic(5), terms=STRICT)
    assert found >= {
        "loss of one rebalance",
        "routine loss",
        "protective loss",
        "delta band",
        "turnover",
        "cooldown",
        "health",
        "borrowing",
        "swap loss",
        "venue share",
    }
    writes = broken(EVERY["covered_call"], terms=STRICT)
    assert writes >= {"notional", "options share"}


def test_a_loss_that_no_bucket_is_charged_for_is_found() -> None:
    free = patch.object(Bucket, "charge", lambda *_: None)
    assert "loss that no bucket paid" in broken(Erratic(5), free)


class Greedy:
    """A short no margin stands for."""

    claims = ("perpetuals",)

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        wanted = (PerpetualTarget("perp", -(10**24)),)
        return Target(Lane.ROUTINE, None, None, "everything", perpetuals=wanted)


def test_an_order_that_its_venue_refuses_is_found() -> None:
    assert "order refused by perp" in broken(Greedy())


def test_a_liquidation_that_was_avoidable_is_found() -> None:
    """Nobody protects a levered vault in a crash."""
    case = Case("idle_yield", "grind_down", 1)
    assert "avoidable liquidation" in broken(Still(), case=case)


def test_a_tick_that_fails_is_found() -> None:
    def refuses(executor: SimulatedExecutor, intent: object) -> str:
        raise SimulationReverted("NoReason()")

    assert "a tick failed" in broken(Erratic(5), patch.object(SimulatedExecutor, "submit", refuses))


def test_the_watch_changes_nothing_it_watches() -> None:
    case = Case("delta_hedge", "gap", 1)
    events, first = events_of(case)
    spec = vault_of(case, first)
    plain = run_backtest(spec, events, strategy_of(case), policies_of(spec))
    seen, watch = watched(spec, events, strategy_of(case), policies_of(spec))
    assert seen.digest == plain.digest
    assert isinstance(watch, Watch)
