"""One replay, whole: the segment on the chain, the same blocks in the backtest, and both side by side."""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from keeper.backtest import BacktestResult, run_backtest
from keeper.backtest.watch import Watch
from keeper.backtest.world import World as SimulatedWorld
from keeper.config.policies import gas_policy, tick_rules
from keeper.demo.place import checkout, log_to
from keeper.errors import SettingError
from keeper.localnet.serve import ORACLE_TERMS
from keeper.loop import TickRecord
from keeper.model.units import WAD
from keeper.replay_market.again import Again, decided_again
from keeper.replay_market.books import Books, Step
from keeper.replay_market.compare import Comparison, compared
from keeper.replay_market.gap import Gap, Line, Pair, Run, gap_of
from keeper.replay_market.logs import Places, actions_of
from keeper.replay_market.mirror import Surrounding, events_of, set_as, spec_of
from keeper.replay_market.pairs import pairs_of
from keeper.replay_market.player import Played, Player
from keeper.replay_market.segment import Segment
from keeper.replay_market.source import Wanted, segment_of
from keeper.replay_market.stage import JOURNAL_FILE, SETTINGS_FILE, WRITTEN, Stage, Vault, staged

LOG_FILE = "keeper.log"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """What to replay, with which vault, and where the journal, the settings and the log go."""

    wanted: Wanted
    vault: Vault
    out: Path


@dataclass(frozen=True, slots=True)
class WallTimes:
    """Seconds of each part."""

    set_up: float
    replay: float
    backtest: float


@dataclass(frozen=True, slots=True)
class Replayed:
    """Both runs of one segment, and what they say of each other."""

    options: ReplayOptions
    segment: Segment
    played: Played
    books: Books
    """Of the replayed vault."""
    backtest: BacktestResult
    comparison: Comparison
    again: Again
    """The pure decision on the readings of the replay."""
    pairs: tuple[Pair, ...]
    gap: Gap
    wall: WallTimes

    @property
    def liquidations(self) -> int:
        """Of the replayed vault."""
        return self.books.liquidations

    @property
    def lowest_health(self) -> float | None:
        """Of the replayed vault, by the venue's own count; None if it never owed."""
        found = [
            b.readings.account.health_wad / WAD
            for b in self.played.blocks
            if b.readings.account.debt_base
        ]
        return min(found, default=None)

    @property
    def unit(self) -> int:
        """Asset units of one whole asset."""
        return int(10**self.backtest.asset_decimals)


@dataclass(slots=True)
class _Watched:
    """What the backtest showed."""

    records: list[TickRecord] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def stepped(self, world: SimulatedWorld) -> None:
        """As the replay's books have it."""
        lending = world.lending
        long = world.idle_base + lending.base.supplied - lending.base.debt
        self.steps.append(Step(world.time, world.nav(), long, world.oracle.price_wad))


def replay_market(
    options: ReplayOptions,
    *,
    root: Path | None = None,
    say: Say = lambda _text: None,
    progress: Callable[[int, int], None] = lambda _done, _whole: None,
) -> Replayed:
    """Play it twice and compare. Every process that is started ends with the call, however it ends.

    progress: (moments done, all). SettingError, MarketDataError and PriceFileError for what cannot be played,
    LocalnetError where the chain cannot be had.
    """
    segment = segment_of(options.wanted, ORACLE_TERMS.twap_window_s)
    _prepare(options.out)
    began = time.monotonic()
    players: list[Player] = []

    def chain_time() -> float:
        return float(players[0].now) if players else 0.0

    vault = options.vault
    with (
        log_to(options.out / LOG_FILE),
        staged(root or checkout(), segment, vault, options.out, clock=chain_time, say=say) as stage,
        Player(stage, segment, seed=vault.seed, noise=vault.noise) as player,
    ):
        players.append(player)
        around, places = _around(stage, segment), _places(stage)
        stood = time.monotonic()
        say(f"playing {len(segment.moments)} moments")
        whole = len(segment.moments)
        played = player.play(lambda done: progress(done, whole))
        ended = time.monotonic()
    say("the same blocks in the backtest")
    result, watched = _backtest(stage, played, around, vault.strategy)
    wall = WallTimes(stood - began, ended - stood, time.monotonic() - ended)
    return _side_by_side(options, segment, stage, played, places, (result, watched), wall)


def _backtest(
    stage: Stage, played: Played, around: Surrounding, name: str
) -> tuple[BacktestResult, _Watched]:
    """The vault's mirror through the blocks as they were made."""
    first, watched = played.blocks[0].readings, _Watched()
    watch = Watch(
        opened=lambda world: set_as(world, first),
        ticked=watched.records.append,
        stepped=watched.stepped,
    )
    result = run_backtest(
        spec_of(first, around),
        events_of([block.made for block in played.blocks]),
        stage.strategy,
        stage.policies,
        rules=tick_rules(stage.settings, dry_run=False),
        name=name,
        watch=watch,
    )
    return result, watched


def _side_by_side(  # noqa: PLR0917 - the parts of one result
    options: ReplayOptions,
    segment: Segment,
    stage: Stage,
    played: Played,
    places: Places,
    other: tuple[BacktestResult, _Watched],
    wall: WallTimes,
) -> Replayed:
    result, watched = other
    first = played.blocks[0].readings
    scale = WAD * 10 ** (first.base.decimals - first.asset.decimals)
    books = _books(played, places, scale)
    records = [block.record for block in played.blocks if block.record is not None]
    pairs = pairs_of(played, books, result, 10**first.asset.decimals)
    gap = gap_of(
        Run(books.steps, [Line(e.time, e.cause, e.amount) for e in books.entries]),
        Run(watched.steps, [Line(e.time, e.cause, e.amount) for e in result.entries]),
        pairs,
        scale,
    )
    return Replayed(
        options,
        segment,
        played,
        books,
        result,
        compared(records, watched.records),
        decided_again(records, stage.strategy, stage.policies),
        pairs,
        gap,
        wall,
    )


def _books(played: Played, places: Places, scale: int) -> Books:
    first = played.blocks[0].readings
    books = Books(scale, first.pool.base_is_token0, first.pool.fee_pips)
    books.open(first)
    for before, after in zip(played.blocks, played.blocks[1:], strict=False):
        root = before.readings.pool.sqrt_price_x96
        actions = list(actions_of(after.receipts, places, root))
        books.block(before.readings, after.readings, actions)
    return books


def _around(stage: Stage, segment: Segment) -> Surrounding:
    a, world = stage.world.addresses, stage.world
    venue = world.contract("AaveDataProvider", a.aave_data_provider)
    owed = [int(venue.functions.getTotalDebt(token).call()) for token in (a.usdc, a.weth)]
    tip = gas_policy(stage.settings).routine_tip_wei
    return Surrounding(owed[0], owed[1], tip, segment.block_s)


def _places(stage: Stage) -> Places:
    a, d = stage.world.addresses, stage.deployment
    found: Sequence[str] = (
        d.vault,
        d.lending,
        a.aave_pool,
        a.uniswap_pool,
        a.eth_usd_aggregator,
        a.usdc_usd_aggregator,
        a.weth,
    )
    return Places(*(address.lower() for address in found))


def _require_ours(out: Path) -> None:
    """Settings and journal of a keeper that lives in the folder must not be written over."""
    settings = out / SETTINGS_FILE
    if settings.is_file():
        with settings.open(encoding="utf-8", errors="replace") as file:
            ours = file.readline().rstrip("\n") == WRITTEN
    else:
        ours = not any(out.glob(f"{JOURNAL_FILE}*"))
    if not ours:
        problem = f"{out} holds the settings or the journal of another keeper"
        raise SettingError("--out", problem, "name a folder of its own")


def _prepare(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass  # that it can be written is known before the work and not after it
        _require_ours(out)
    except OSError as error:
        problem = f"{out} cannot be written ({error.strerror})"
        raise SettingError("--out", problem, "name a folder that can be written") from None
