"""Who looks on sees every tick and every step, and changes nothing unless it sets the world as it opens."""

from dataclasses import replace

from keeper.backtest import default_policies, run_backtest
from keeper.backtest.events import LiquidityEvent, merged
from keeper.backtest.watch import Watch
from keeper.backtest.world import World
from keeper.loop import TickRecord
from keeper.model.decision import Lane, Target
from keeper.model.market import MarketState
from keeper.model.risk import RiskReport
from keeper.model.units import wad_down
from tests.unit.backtest.worlds import START, path, run, spec


class Towards:
    """Another health, always."""

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        return Target(Lane.ROUTINE, wad_down(1.9), None, "a health")


def test_a_watch_is_shown_every_tick_and_every_step_and_changes_nothing() -> None:
    given, events = spec(1.6), path(2_000, 1_900, 1_950)
    ticks: list[TickRecord] = []
    navs: list[int] = []
    policies = default_policies(connected=given.venues)
    watch = Watch(ticked=ticks.append, stepped=lambda world: navs.append(world.nav()))
    seen = run_backtest(given, events, Towards(), policies, watch=watch)
    alone = run_backtest(given, events, Towards(), policies)
    assert seen.digest == alone.digest
    assert len(ticks) == seen.ticks
    assert [nav / 10**6 for nav in navs] == list(seen.steps["nav"])


def test_what_is_set_as_the_world_opens_holds_from_its_first_tick() -> None:
    given = spec(1.6)
    until = START + 10**6

    def rescued(world: World) -> None:
        world.mandate.routine_at = until

    policies = default_policies(connected=given.venues)
    held = run_backtest(given, path(2_000, 2_000), Towards(), policies, watch=Watch(opened=rescued))
    assert not held.transactions


def test_a_pool_with_less_liquidity_costs_more_impact_from_then_on() -> None:
    opened: list[int] = []
    given = spec(1.6)
    policies = default_policies(connected=given.venues)
    watch = Watch(opened=lambda world: opened.append(world.pool.liquidity))
    deep = run_backtest(given, path(2_000, 2_000), Towards(), policies, watch=watch)
    thin = [LiquidityEvent(START, opened[0] // 3)]
    shallow = run(merged(thin, path(2_000, 2_000)), Towards(), given)
    costs = [sum(s.impact for s in r.swaps) for r in (deep, shallow)]
    assert costs[1] > 2 * costs[0] > 0


def test_an_arbitrageur_who_answers_a_block_later_leaves_the_pool_where_the_vault_moved_it() -> (
    None
):
    """Seen at the block the trade landed in, and no longer at the next one."""
    spots: dict[int, list[int]] = {}
    for blocks in (0, 1):
        given = spec(1.6, latency_blocks=1)
        given = replace(given, chain=replace(given.chain, arbitrage_blocks=blocks))
        seen: list[int] = []
        policies = default_policies(connected=given.venues)
        watch = Watch(
            stepped=lambda world, seen=seen: seen.append(world.pool.sqrt_price_x96)  # type: ignore[misc]
        )
        still = path(2_000, 2_000, 2_000, step_s=12)
        run_backtest(given, still, Towards(), policies, watch=watch)
        spots[blocks] = seen
    sent, landed, after = range(3)
    assert spots[0][sent] == spots[1][sent]
    assert abs(spots[1][landed] - spots[1][sent]) > abs(spots[0][landed] - spots[0][sent])
    assert spots[1][after] == spots[0][landed]
