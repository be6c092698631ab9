"""Volatility marks posted by the keeper's own plans, judged by the real oracle on the local mainnet."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from keeper.app import Keeper, build_keeper_for
from keeper.localnet.market import advance_to
from keeper.localnet.rpc import send
from keeper.localnet.vaults import deploy_vault, deposit
from keeper.localnet.world import World
from keeper.model.decision import Lane, PostMarks, Target
from keeper.model.exposure import Exposure
from keeper.model.market import MarketState, Readings
from keeper.model.outlook import Outlook, Smile
from keeper.model.policy import GuardPolicy, MarketPolicy, PlanningPolicy, Policies
from keeper.model.risk import RiskReport
from keeper.model.units import Bps, Raw
from keeper.planning.marks import move_wad_up
from tests.integration.keeper.kept import DOLLAR, Kept

DAY = 86_400
APART_S = 600
"""Between two posts, as the local mainnet's oracle wants it."""


class Market:
    """An option market of one smile, seen beside the readings."""

    def __init__(self) -> None:
        self.level = 0.8

    def look(self, readings: Readings) -> tuple[Outlook, tuple[Exposure, ...]]:
        points = tuple((k, self.level - 0.1 * k + 0.3 * k * k) for k in (-0.3, -0.1, 0.0, 0.1, 0.3))
        now = readings.block.timestamp
        expiries = (now + days * DAY for days in (2, 9, 40))
        return Outlook(smiles=tuple(Smile(at, 2_000.0, points) for at in expiries)), ()


def nothing(market: MarketState, risk: RiskReport) -> Target:
    return Target(Lane.ROUTINE, None, None, "nothing is wanted")


@pytest.fixture
def kept(world: World, tmp_path: Path) -> Kept:
    """A vault with a desk, and some dollars."""
    deployment = deploy_vault(world, keepers=[world.accounts.keeper], with_options=True)
    deposit(world, deployment, world.accounts.depositor, 10_000 * DOLLAR)
    return Kept(world, deployment, tmp_path)


@pytest.fixture
def market() -> Market:
    return Market()


@pytest.fixture
def keeper(kept: Kept, market: Market) -> Iterator[Keeper]:
    planning = PlanningPolicy(Bps(50), Raw(DOLLAR), Raw(10**12), Raw(0), Bps(50))
    with build_keeper_for(
        rpc_url=kept.world.http_url,
        chain_id=1,
        vault=kept.deployment.vault,
        lens=kept.deployment.lens,
        strategy=nothing,
        policies=Policies(
            MarketPolicy(1, 4_000, Bps(300), Bps(300)),
            planning,
            GuardPolicy(10**12, Bps(200), 10**15),
        ),
        journal_path=kept.folder / "marks.sqlite",
        private_key=kept.key,
        clock=kept.now,
        surroundings=market,
    ) as found:
        yield found


def make_poster(kept: Kept, account: str) -> None:
    """By the oracle's owner."""
    world, options = kept.world, kept.deployment.options
    assert options is not None
    oracle = world.contract("VolatilityOracle", options.volatility).functions
    send(world.w3, oracle.setPoster(account), oracle.owner().call())


def posted(keeper: Keeper, kept: Kept, *, ticks: int = 3) -> PostMarks | None:
    """The post of the next few ticks, mined; None if there is none."""
    for _ in range(ticks):
        outcome = keeper.tick()
        kept.mine()
        intent = keeper.last.intent if keeper.last is not None else None
        if outcome.tx_hash is not None and intent and isinstance(intent.payload, PostMarks):
            receipt = kept.world.w3.eth.get_transaction_receipt(outcome.tx_hash)  # type: ignore[arg-type]
            assert receipt["status"] == 1
            return intent.payload
    return None


def test_the_poster_brings_marks_to_the_market_as_fast_as_the_oracle_lets_it(
    kept: Kept, keeper: Keeper, market: Market
) -> None:
    world, options = kept.world, kept.deployment.options
    assert options is not None
    oracle = world.contract("VolatilityOracle", options.volatility)
    assert posted(keeper, kept) is None, "the keeper is not the poster"
    make_poster(kept, world.accounts.keeper)

    before = keeper.read().options.state
    assert before is not None
    first = posted(keeper, kept)
    assert first is not None
    _, marks, at = oracle.functions.surface().call()
    assert [tuple(m) for m in marks] == [
        (m.level_ppm, m.skew_bps, m.convexity_bps) for m in first.marks
    ]
    # 60 % to 80 % is farther than one step of five per cent: as far as it goes, as the oracle counts it
    moves = [move_wad_up(a, b) for a, b in zip(before.volatility.marks, first.marks, strict=True)]
    (event,) = oracle.events.Posted().get_logs(from_block=world.w3.eth.block_number - 3)
    assert event["args"]["moveWad"] == max(moves)
    assert 0.95 < max(moves) / (0.05 * 10**18) <= 1

    assert posted(keeper, kept) is None, "too soon"
    advance_to(world, at + APART_S)
    assert posted(keeper, kept) is not None
    for _ in range(2):  # what is left of the day's twenty per cent
        advance_to(world, int(kept.now()) + APART_S)
        posted(keeper, kept)
    left, _ = oracle.functions.moveBudget().call()
    assert left < 0.05 * 10**18
    advance_to(world, int(kept.now()) + APART_S)
    small = posted(keeper, kept)
    if small is not None:  # what has refilled meanwhile
        state = keeper.read().options.state
        assert state is not None
        assert state.volatility.marks == small.marks


def test_marks_that_are_right_are_posted_again_before_they_turn_stale(
    kept: Kept, keeper: Keeper, market: Market
) -> None:
    world, options = kept.world, kept.deployment.options
    assert options is not None
    oracle = world.contract("VolatilityOracle", options.volatility)
    make_poster(kept, world.accounts.keeper)
    market.level = 0.6
    at = int(kept.now())
    for _ in range(8):  # to the market's shape first
        advance_to(world, int(kept.now()) + APART_S)
        if posted(keeper, kept, ticks=1) is not None:
            at = oracle.functions.markedAt().call()
    assert posted(keeper, kept) is None, "right, and young"
    advance_to(world, at + 6 * 3_600 + 1)
    again = posted(keeper, kept)
    assert again is not None
    assert "s old" in again.why
