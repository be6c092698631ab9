"""A live keeper learns what its strategy needs from the chain itself, decides with it, and decides it again."""

import math
import random
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from keeper.app import Keeper, build_keeper_for
from keeper.app.outlook import LiveSurroundings, OutlookTerms
from keeper.cli.main import invoke
from keeper.config.policies import policies, tick_rules
from keeper.localnet.market import refresh_answers, set_market_price
from keeper.localnet.rpc import rpc
from keeper.model.decision import Target
from keeper.model.market import MarketState
from keeper.model.outcome import TickStatus
from keeper.model.ports import Strategy
from keeper.model.risk import RiskReport
from strategies.collateral_guard import CollateralGuard
from strategies.composite import Composite
from strategies.delta_band import DeltaBand
from strategies.volatility_target import VolatilityTarget
from tests.integration.keeper.kept import AVERAGE_BLOCKS, Kept, open_kept

ROUNDS, STEP_S, YEARLY = 60, 3_600, 0.9


@pytest.fixture
def historic(shared_world, tmp_path: Path) -> Kept:  # type: ignore[no-untyped-def]
    """A vault on a chain whose feed has answered by the hour for two and a half days."""
    kept = open_kept(shared_world, tmp_path)
    draw, price = random.Random(4), 2_000.0
    for _ in range(ROUNDS):
        rpc(kept.world.w3, "anvil_mine", hex(1), hex(STEP_S))
        price *= math.exp(draw.gauss(0.0, YEARLY * math.sqrt(STEP_S / (365 * 86_400))))
        set_market_price(kept.world, price)
    refresh_answers(kept.world)
    kept.mine(AVERAGE_BLOCKS)
    return kept


def misbehaves(market: MarketState, risk: RiskReport) -> Target:
    raise ZeroDivisionError("the strategy's own fault")


def keeper_of(kept: Kept, strategy: Strategy | None = None) -> Keeper:
    settings = kept.settings
    return build_keeper_for(
        rpc_url=kept.world.http_url,
        chain_id=1,
        vault=kept.deployment.vault,
        lens=kept.deployment.lens,
        strategy=strategy
        or VolatilityTarget(DeltaBand(target_delta=100.0, band=5.0), volatility=0.4),
        policies=policies(settings, 6),
        journal_path=settings.journal.path,
        private_key=kept.key,
        clock=kept.now,
        rules=tick_rules(settings, dry_run=False),
        outlook=OutlookTerms(),
    )


def surroundings_of(keeper: Keeper) -> LiveSurroundings:
    found = keeper.vaults[0].surroundings
    assert isinstance(found, LiveSurroundings)
    return found


def test_a_forecast_from_the_feeds_own_past_sizes_a_strategy_and_replays(
    historic: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    with keeper_of(historic) as keeper:
        keeper.tick()  # the heart is beaten: nobody was there for days
        before = keeper.last
        assert before is not None
        assert before.target is not None
        assert before.target.hold
        assert "outlook.days" in before.target.reason
        surroundings_of(keeper).wait(60)
        historic.mine()
        second = keeper.tick()
        record = keeper.last
        assert record is not None
        assert record.market is not None
        seen = record.market.outlook
        assert seen.volatility == pytest.approx(YEARLY, rel=0.5)
        assert len(seen.lending) == 2
        assert len(seen.pools) == 1
        assert seen.drawdown is not None
        assert seen.funding == ()
        assert second.status is TickStatus.SENT, second.reason
        assert "scaled to" in second.reason
        historic.mine()
        keeper.tick()
    capsys.readouterr()
    assert invoke(["replay", "--journal", str(historic.settings.journal.path)]) == 0
    assert "0 different" in capsys.readouterr().out
    with keeper_of(historic) as again:
        # what the journal knows of the vault is known from the first look on
        assert surroundings_of(again).known_since > 0


def test_a_strategy_that_raises_leaves_the_vault_to_its_guard_and_the_keeper_running(
    kept: Kept,
) -> None:
    whole = Composite((CollateralGuard(low=1.35, target=1.5, high=5.0), misbehaves))
    with keeper_of(kept, whole) as keeper:
        with capture_logs() as said:
            assert keeper.tick().status is TickStatus.HELD
        (told,) = (line for line in said if line["log_level"] == "error")
        assert told["event"] == "strategy fails, the vault holds still"
        assert "ZeroDivisionError" in str(told)
        before = kept.health()
        kept.market(1_700.0)
        assert kept.health() < 1.35 < before
        outcome = keeper.tick()
        assert outcome.status is TickStatus.SENT
        assert "ZeroDivisionError" in outcome.reason
        kept.mine()
        keeper.tick()
        assert kept.health() > 1.35
    with keeper_of(kept, misbehaves) as keeper:
        kept.mine()
        with capture_logs() as said:
            assert keeper.tick().status is TickStatus.HELD
        assert any(line["event"].startswith("strategy fails") for line in said)
