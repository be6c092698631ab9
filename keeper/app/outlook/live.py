"""`Surroundings` of a live keeper: looks without asking, and has the slow parts done beside the ticks."""

import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import structlog

from keeper.app.outlook.forecast import VolatilityForecast, forecast_of
from keeper.app.outlook.shares import ShareTrack
from keeper.app.outlook.smiles import (
    Listed,
    Points,
    smiles_of_file,
    smiles_of_oracle,
    surface_points,
)
from keeper.chain.feed_history import rounds_before
from keeper.chain.source import Source
from keeper.errors import GimbalError
from keeper.model.block import BlockStamp
from keeper.model.desk import VolatilityReading
from keeper.model.exposure import Exposure
from keeper.model.market import FeedReading, PriceFault, Readings, Token, TokenPosition
from keeper.model.outlook import LendingRate, Outlook, PoolQuote, Smile
from keeper.model.past import Seen
from keeper.model.units import BPS, WAD, Raw
from keeper.planning.marks import market_marks

_log = structlog.get_logger(__name__)
LENDING = "lending"
"""What the vault's own lending venue is called in targets."""
RAY = 10**27
DAY_S = 86_400
FEE_MEMORY_S = 3_600.0
ROUNDS_A_BLOCK = 50
"""Of the feed's past, read beside one block: ninety days are whole within about twenty minutes."""
OLDEST_REFRESHES, OLDEST_S = 3, 21_600
"""A forecast older than so many refreshes and so many seconds is none."""
_NO_CAP = Raw(2**127)


@dataclass(frozen=True, slots=True)
class OutlookTerms:
    """What is looked for, and how far."""

    volatility: float | None = None
    """Stated forecast: holds where none can be made."""
    days: int = 90
    """Of the feed's past; 0 makes no forecast of it."""
    most_rounds: int = 12_000
    """Read back at most."""
    refresh_s: int = 3_600
    """Chain time from one forecast, and one look at the file, to the next."""
    option_chain: Path | None = None
    """Book summary to take smiles from; without it, or while it is too old, those of the vault's volatility oracle."""
    option_chain_max_age_s: int = 86_400


@dataclass(slots=True)
class _Back:
    """How far the feed's past is read back."""

    left: int
    before: int = 0
    """Round that was read last; 0 before the first."""
    oldest: int | None = None
    """Unix seconds of it."""
    asked_at: int = 0
    failed: bool = False


class LiveSurroundings:
    """What is known beyond the readings of one vault. `look` is called by one thread, and never waits.

    Not known here: funding, positions and rates of other venues: no perpetual venue, no second lender and no option
    dealer is connected to a live keeper, so `funding` and holdings are empty.
    """

    def __init__(
        self,
        terms: OutlookTerms,
        source: Source | None = None,
        *,
        past: Iterable[Seen] = (),
        run: Callable[[Callable[[], None]], Future[None]] | None = None,
    ) -> None:
        """source: where the feed's past is read back from; None: only what the ticks see. past: of the journal, oldest
        first. run: starts a job beside the caller; None: in a thread of its own."""
        self._terms = terms
        self._source = source
        self._threads = None if run else ThreadPoolExecutor(1, thread_name_prefix="outlook")
        self._run = run or self._beside
        self._guard = threading.Lock()
        self._rounds: dict[int, int] = {}
        """Answer by time; what is older than `days` is let go."""
        self.reading = source is not None and terms.days > 0 and terms.most_rounds > 0
        """The feed's past is not read back to the end yet."""
        self._back = _Back(left=terms.most_rounds)
        self._shares = ShareTrack()
        self._forecast: VolatilityForecast | None = None
        self._file = Listed()
        self._strange = False
        self._surface: tuple[VolatilityReading, tuple[tuple[int, Points], ...]] | None = None
        self._fee: tuple[int, float] | None = None
        self._refreshed_at = -(10**9)
        self._job: Future[None] | None = None
        self._file_problems: list[str] = []
        self.problems: tuple[str, ...] = ()
        """What could not be learnt when it was last tried."""
        for seen in past:
            self._note(seen.market.readings)

    def look(self, readings: Readings) -> tuple[Outlook, tuple[Exposure, ...]]:
        """The outlook at the block of the readings; nothing is held beyond them.

        Whatever goes wrong in it, what was stated is what is known: protection needs no more, and must not wait.
        """
        try:
            return self._look(readings)
        except Exception as error:  # noqa: BLE001 - a surprise here must not end the tick
            _log.error("the outlook failed", problem=f"{type(error).__name__}: {error}")
            return Outlook(volatility=self._terms.volatility), ()

    def _look(self, readings: Readings) -> tuple[Outlook, tuple[Exposure, ...]]:
        self._note(readings)
        self._refresh(readings)
        now, price = readings.block.timestamp, readings.price.price_wad / WAD
        forecast = self._believed(now)
        stated = self._terms.volatility
        outlook = Outlook(
            volatility=forecast.volatility if forecast else stated,
            volatility_low=forecast.low if forecast else None,
            volatility_high=forecast.high if forecast else None,
            regime=forecast.regime if forecast else "",
            smiles=self._smiles(readings, price, now),
            lending=_lending(readings),
            pools=_pools(readings),
            base_fee_wei=self._base_fee(readings.block),
            drawdown=self._shares.drawdown,
            returns_volatility=self._shares.volatility,
        )
        return outlook, ()

    @property
    def forecast(self) -> VolatilityForecast | None:
        """The newest."""
        return self._forecast

    @property
    def blocked(self) -> bool:
        """True if the feed's past could not be read when it was last tried."""
        return self._back.failed

    @property
    def known_since(self) -> int:
        """Unix seconds of the oldest value of a share that is known; 0 for none."""
        return self._shares.since

    def wait(self, seconds: float) -> None:
        """Until what runs beside has ended: for programs that are not in a hurry."""
        if self._job is not None:
            self._job.result(seconds)

    def close(self) -> None:
        """Start nothing any more."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    # ---------------------------------------------------------------- on the way of a tick

    def _believed(self, now: int) -> VolatilityForecast | None:
        """The newest forecast while it is one: what could not be made anew for hours says nothing of a storm."""
        found = self._forecast
        patience = max(OLDEST_REFRESHES * self._terms.refresh_s, OLDEST_S)
        return found if found is not None and now - found.made_at <= patience else None

    def _note(self, readings: Readings) -> None:
        """The round in force, and what a share is worth."""
        feed = readings.price.base
        good = feed.answer > 0 and feed.updated_at > 0 and feed.fault is PriceFault.NONE
        if good and self._terms.days:
            with self._guard:
                self._rounds[feed.updated_at] = feed.answer
        if readings.nav_valid and readings.total_shares > 0:
            self._shares.see(readings.block.timestamp, readings.nav / readings.total_shares)

    def _smiles(self, readings: Readings, price: float, now: int) -> tuple[Smile, ...]:
        listed = self._file
        found = listed.usable(price, now, self._terms.option_chain_max_age_s)
        strange = bool(listed.smiles) and not found
        if strange and not self._strange:
            _log.warning("the option chain is not used: too old, or of another price", price=price)
        self._strange = strange
        if found:
            return found
        state = readings.options.state
        if state is None:
            return ()
        if self._surface is None or _marks(self._surface[0]) != _marks(state.volatility):
            self._surface = (state.volatility, surface_points(state.volatility))
        return smiles_of_oracle(self._surface[1], price, now)

    def _base_fee(self, block: BlockStamp) -> int:
        """Averaged over about the last hour: the next one is more like that than like one block."""
        at, fee = block.timestamp, float(block.base_fee_wei)
        if self._fee is None:
            self._fee = (at, fee)
        elif at > self._fee[0]:
            weight = min(1.0, (at - self._fee[0]) / FEE_MEMORY_S)
            self._fee = (at, self._fee[1] + weight * (fee - self._fee[1]))
        return round(self._fee[1])

    # ---------------------------------------------------------------- beside it

    def _refresh(self, readings: Readings) -> None:
        """Every `refresh_s`; and at every block while the past is read back, a little at a time: the endpoints' budgets
        are the ticks'."""
        now = readings.block.timestamp
        due = now >= self._refreshed_at + self._terms.refresh_s
        if (self._job is not None and not self._job.done()) or not (due or self._goes_on(now)):
            return
        if due:
            self._refreshed_at = now
        self._job = self._run(lambda: self._learn(readings, due=due))

    def _goes_on(self, now: int) -> bool:
        return self.reading and now > self._back.asked_at and not self._back.failed

    def _beside(self, job: Callable[[], None]) -> Future[None]:
        assert self._threads is not None  # noqa: S101 - made where no `run` was given
        return self._threads.submit(job)

    def _learn(self, readings: Readings, *, due: bool) -> None:
        """A piece of the feed's past; a forecast when it is due, or the past is whole; and the file."""
        block, feed = readings.block, readings.price.base
        problems, began = list[str](), self.reading
        if self.reading:
            problems += _tried(lambda: self._read(block, feed))
        if self._terms.days and (due or self.reading != began or self._forecast is None):
            lacks = _tried(lambda: self._forecast_now(block.timestamp))
            problems += [] if self.reading else lacks
        if due and self._terms.option_chain is not None:
            self._file_problems = _tried(lambda: self._list(readings))
        problems += self._file_problems
        if problems and tuple(problems) != self.problems:
            _log.warning("the outlook lacks something", problems=problems)
        self.problems = tuple(problems)

    def _list(self, readings: Readings) -> list[str]:
        """What the file lists; what it listed before is not kept beside a file that cannot be read.

        Where marks are posted a surface is fitted to it here before any tick sees it: the first fit compiles for up to
        minutes, and what none can be fitted to is no market.
        """
        now, state = readings.block.timestamp, readings.options.state
        terms, found = self._terms, Listed()
        assert terms.option_chain is not None  # noqa: S101 - asked for only then
        try:
            read, problem = smiles_of_file(terms.option_chain, now, terms.option_chain_max_age_s)
            if state is not None and state.volatility.posting is not None:
                market_marks(read.smiles, state.volatility, now)
            found = read
        finally:
            self._file = found
        return [problem] if problem else []

    def _read(self, block: BlockStamp, feed: FeedReading) -> list[str]:
        """One batch further back. After a fault it goes on from there when it is due again."""
        back, source = self._back, self._source
        if source is None or feed.round_id <= 0:
            return []
        if back.before == 0:
            back.before = feed.round_id
        back.asked_at, back.failed = block.timestamp, False
        try:
            batch, asked = rounds_before(
                source,
                feed.feed,
                back.before,
                block,
                most=min(back.left, ROUNDS_A_BLOCK),
                after=back.oldest,
            )
        except GimbalError as error:
            back.failed = True
            return [f"the feed's past could not be read: {error}"]
        with self._guard:
            for at, answer in batch:
                self._rounds.setdefault(at, answer)
        back.before, back.left = back.before - asked, back.left - asked
        back.oldest = batch[0][0] if batch else back.oldest
        since = block.timestamp - self._terms.days * DAY_S
        whole = len(batch) == asked > 0 and back.left > 0 and batch[0][0] >= since
        self.reading = whole
        return []

    def _forecast_now(self, now: int) -> list[str]:
        with self._guard:
            oldest = now - self._terms.days * DAY_S
            self._rounds = {at: a for at, a in self._rounds.items() if at >= oldest}
            found = sorted(self._rounds.items())
        upto = bisect_right(found, (now, 2**255))
        times = [at for at, _ in found[:upto]]
        made = forecast_of(times, [float(answer) for _, answer in found[:upto]], now)
        if made is None:
            hours = (now - times[0]) / 3_600 if times else 0.0
            return [
                f"{hours:.1f} h of the price feed are known, a forecast needs 48 with moves in them"
            ]
        first, self._forecast = self._forecast is None, made
        if first:
            _log.info(
                "volatility is forecast",
                volatility=round(made.volatility, 4),
                days=round(made.days, 1),
                method=made.method,
                regime=made.regime or "not known yet",
            )
        return []


def _tried(job: Callable[[], list[str]]) -> list[str]:
    """Its problems; a surprise is one, and the parts after it are still learnt."""
    try:
        return job()
    except Exception as error:  # noqa: BLE001 - nobody waits for the thread to hear it
        return [f"{type(error).__name__}: {error}"]


def _marks(reading: VolatilityReading) -> tuple[object, ...]:
    return (reading.marks, reading.floor_wad, reading.usable)


def _lending(readings: Readings) -> tuple[LendingRate, ...]:
    """The vault's own venue, as the lens read it; a token that is frozen there is not on offer."""
    if not readings.venue_readable:
        return ()
    sides = (readings.asset_position, readings.base_position)
    return tuple(_rate(side) for side in sides if not side.frozen_or_paused)


def _rate(side: TokenPosition) -> LendingRate:
    return LendingRate(
        LENDING,
        side.token,
        side.supply_rate_ray / RAY,
        side.borrow_rate_ray / RAY,
        side.ltv_bps / BPS,
        side.liquidation_threshold_bps / BPS,
        side.available,
        _NO_CAP,
    )


def _pools(readings: Readings) -> tuple[PoolQuote, ...]:
    """The pool of the vault's adapter: price and virtual reserve of base in range, whole tokens."""
    pool = readings.pool
    if not readings.pool_readable or pool.sqrt_price_x96 <= 0 or pool.liquidity <= 0:
        return ()
    root = pool.sqrt_price_x96 / 2**96
    price = _price(root, readings.base, readings.asset, first=pool.base_is_token0)
    reserve = pool.liquidity / root if pool.base_is_token0 else pool.liquidity * root
    whole = reserve / 10**readings.base.decimals
    return (PoolQuote(pool.pool, pool.fee_pips, price, whole, pool.tick),)


def _price(root: float, base: Token, asset: Token, *, first: bool) -> float:
    """Assets per whole base, of sqrt(token 1 / token 0)."""
    raw: float = root * root if first else 1 / (root * root)
    return float(raw * 10 ** (base.decimals - asset.decimals))
