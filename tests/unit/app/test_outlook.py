"""What a live keeper knows beyond its readings: never waited for, never guessed, said where it is missing."""

import math
import random
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.app.outlook import LiveSurroundings, OutlookTerms
from keeper.app.outlook.forecast import HAR_DAYS, forecast_of
from keeper.app.outlook.live import ROUNDS_A_BLOCK
from keeper.app.outlook.shares import ShareTrack
from keeper.app.outlook.smiles import smiles_of_file, surface_points
from keeper.journal.codec import decode, encode
from keeper.model.desk import DeskState, Posting, VolatilityFault
from keeper.model.market import MarketState, PriceFault, Readings
from keeper.model.option_marks import marked_volatility
from keeper.model.outlook import Outlook, Smile
from keeper.model.past import Seen
from keeper.model.units import WAD, Bps, Raw, Wad
from keeper.risk import assess
from strategies.covered_call import CoveredCall
from strategies.short_strangle import ShortStrangle
from strategies.volatility_target import VolatilityTarget
from tests.builders import KEEPER, NOW, make_readings
from tests.desk_builders import BOOK, HOUSE, SETTLEMENT, volatility
from tests.unit.chain.test_feed_history import FEED, PHASE, Feed

HOUR, DAY = 3_600, 86_400


def walk(days: float, yearly: float, seed: int = 1, step_s: int = 1_800) -> list[tuple[int, int]]:
    """Rounds up to NOW of a random walk with a volatility."""
    draw = random.Random(seed)
    count = int(days * DAY / step_s)
    value, found = 2_000.0, []
    for i in range(count + 1):
        found.append((NOW - (count - i) * step_s, round(value * 10**8)))
        value *= math.exp(draw.gauss(0.0, yearly * math.sqrt(step_s / (365 * DAY))))
    return found


def forecast(rounds: list[tuple[int, int]], now: int = NOW):  # type: ignore[no-untyped-def]
    return forecast_of([at for at, _ in rounds], [float(a) for _, a in rounds], now)


def at_once(job: Callable[[], None]) -> Future[None]:
    """Runs a job where it is given."""
    done: Future[None] = Future()
    job()
    done.set_result(None)
    return done


def feeding(readings: Readings, rounds: list[tuple[int, int]]) -> Readings:
    """Readings whose feed's newest round is the last of these."""
    at, answer = rounds[-1]
    base = replace(
        readings.price.base,
        feed=FEED,
        round_id=PHASE + len(rounds),
        answer=answer,
        updated_at=at,
        fault=PriceFault.NONE,
    )
    return replace(readings, price=replace(readings.price, base=base))


def settled(surroundings: LiveSurroundings, readings: Readings) -> Outlook:
    """What is known once the past is read back, a piece a block."""
    for later in range(500):
        surroundings.look(moved(readings, later))
        if not surroundings.reading or surroundings.problems:
            break
    return surroundings.look(readings)[0]


class Past(Feed):
    """A feed with a past of rounds."""

    def __init__(self, rounds: list[tuple[int, int]]) -> None:
        super().__init__([at for at, _ in rounds])
        self.rounds = rounds

    def answer(self, place: int) -> int:
        return self.rounds[place - 1][1]


# ---------------------------------------------------------------- forecast


@pytest.mark.parametrize("days", [5, 30, 66, 90])
@pytest.mark.parametrize("yearly", [0.3, 0.8, 2.0])
def test_the_forecast_of_a_steady_walk_is_its_volatility(days: int, yearly: float) -> None:
    found = forecast(walk(days, yearly))
    assert found.volatility == pytest.approx(yearly, rel=0.30)
    assert found.days == pytest.approx(days, abs=0.1)
    assert (found.method == "HAR-RV of days") is (days >= HAR_DAYS)
    if days >= 30:
        assert found.low < found.volatility < found.high
    else:
        assert found.low is found.high is None
    assert found.regime in ("", "calm", "normal", "stressed")
    assert (found.regime != "") is (days >= 60)


def test_a_storm_raises_the_forecast_and_is_called_one() -> None:
    calm = walk(85, 0.4)
    last = calm[-1][1]
    storm = [(at + 5 * DAY, a * last // (2_000 * 10**8)) for at, a in walk(5, 2.5, seed=2)]
    rounds = calm + [one for one in storm if one[0] > NOW]
    before, after = forecast(calm), forecast(rounds, NOW + 5 * DAY)
    assert after.volatility > 2 * before.volatility
    assert after.regime == "stressed"
    assert after.volatility < 3.0


def test_whole_days_end_now_and_the_oldest_hours_are_left_out() -> None:
    """Of 70 days and 20 hours the last 20 hours must count: they are what has just happened."""
    calm = walk(70 + 20 / 24, 0.5)
    since = calm[-21][1]
    wild = [*calm[:-20], *((at, round(since * (a / since) ** 6)) for at, a in calm[-20:])]
    early = calm[20][1]
    old = [*((at, round(early * (a / early) ** 6)) for at, a in calm[:20]), *calm[20:]]
    before, after, long_ago = (forecast(rounds) for rounds in (calm, wild, old))
    assert before.method == after.method == "HAR-RV of days"
    assert after.volatility != before.volatility
    assert long_ago.volatility == before.volatility


def test_too_little_or_nothing_that_moves_makes_no_forecast() -> None:
    assert forecast(walk(1.9, 0.8)) is None
    assert forecast([]) is None
    assert forecast([(NOW - i * HOUR, 2_000) for i in range(100, -1, -1)]) is None


@settings(max_examples=20, deadline=None)
@given(st.integers(3, 80), st.integers(0, 10**6))
def test_what_comes_after_now_is_not_looked_at(days: int, seed: int) -> None:
    rounds = walk(days, 0.7, seed)
    later = [*rounds, (NOW + 10, 1), (NOW + HOUR, 10**12)]
    ours = LiveSurroundings(OutlookTerms(days=90), run=at_once)
    other = LiveSurroundings(OutlookTerms(days=90), run=at_once)
    for surroundings, known in ((ours, rounds), (other, later)):
        surroundings._rounds = dict(known)
        surroundings.look(feeding(make_readings(), rounds))
    assert ours.forecast == other.forecast


# ---------------------------------------------------------------- looking


def test_the_feeds_past_is_read_back_once_and_then_followed() -> None:
    rounds = walk(80, 0.8)
    feed = Past(rounds)
    surroundings = LiveSurroundings(OutlookTerms(), feed, run=at_once)  # type: ignore[arg-type]
    readings = feeding(make_readings(), rounds)
    assert surroundings.look(readings)[1] == ()
    assert feed.batches == 1  # one piece a block, and not twice at one
    surroundings.look(readings)
    assert feed.batches == 1
    outlook = settled(surroundings, readings)
    assert not surroundings.reading
    assert outlook.volatility is not None
    assert outlook.volatility_low is not None
    assert outlook.volatility_low < outlook.volatility < (outlook.volatility_high or 0)
    asked = feed.batches
    assert asked == -(-(len(rounds) - 1) // ROUNDS_A_BLOCK)
    later = replace(readings, block=replace(readings.block, timestamp=NOW + 2 * HOUR))
    surroundings.look(later)
    assert feed.batches == asked
    assert surroundings.problems == ()


def test_looking_never_waits_and_holds_the_stated_forecast_until_one_is_made() -> None:
    """The job runs beside: until it ends there is what was stated, or nothing."""
    jobs: list[Callable[[], None]] = []

    def later(job: Callable[[], None]) -> Future[None]:
        jobs.append(job)
        return Future()

    rounds = walk(10, 0.8)
    for stated in (None, 0.5):
        terms = OutlookTerms(volatility=stated)
        surroundings = LiveSurroundings(terms, Past(rounds), run=later)  # type: ignore[arg-type]
        readings = feeding(make_readings(), rounds)
        assert surroundings.look(readings)[0].volatility == stated
        assert surroundings.look(readings)[0].volatility == stated
        jobs[-1]()
        assert surroundings.look(readings)[0].volatility == stated  # 25 hours are not enough
        whole = LiveSurroundings(terms, Past(rounds), run=at_once)  # type: ignore[arg-type]
        assert settled(whole, readings).volatility != stated
    assert len(jobs) == 2


def test_a_feed_that_cannot_be_read_is_said_and_asked_again() -> None:
    class Broken(Past):
        def agreed_batch(self, calls):  # type: ignore[no-untyped-def]
            from keeper.errors import EndpointError

            self.batches += 1
            raise EndpointError("node", "eth_call", "is down")

    rounds = walk(10, 0.8)
    feed = Broken(rounds)
    surroundings = LiveSurroundings(OutlookTerms(), feed, run=at_once)  # type: ignore[arg-type]
    readings = feeding(make_readings(), rounds)
    outlook, _ = surroundings.look(readings)
    assert outlook.volatility is None
    assert any("node" in problem for problem in surroundings.problems)
    surroundings.look(moved(readings, 12))
    assert feed.batches == 1  # not at every block
    surroundings.look(replace(readings, block=replace(readings.block, timestamp=NOW + 2 * HOUR)))
    assert feed.batches == 2


def test_a_faulty_answer_is_not_history() -> None:
    readings = make_readings()
    base = replace(readings.price.base, fault=PriceFault.STALE)
    surroundings = LiveSurroundings(OutlookTerms(), run=at_once)
    surroundings.look(replace(readings, price=replace(readings.price, base=base)))
    assert surroundings._rounds == {}


def test_rates_and_pool_are_those_of_the_readings() -> None:
    readings = make_readings(price=2_000, depth=400_000_000)
    outlook, _ = LiveSurroundings(OutlookTerms(), run=at_once).look(readings)
    (pool,) = outlook.pools
    assert pool.price == pytest.approx(2_000, rel=1e-3)
    assert pool.liquidity == pytest.approx(400_000_000 / 2_000, rel=0.02)
    assert {rate.token for rate in outlook.lending} == {
        readings.asset.address,
        readings.base.address,
    }
    for rate, side in zip(
        outlook.lending, (readings.asset_position, readings.base_position), strict=True
    ):
        assert rate.venue == "lending"
        assert rate.borrow_rate == side.borrow_rate_ray / 10**27
        assert rate.threshold == side.liquidation_threshold_bps / 10**4
    assert outlook.funding == ()


@pytest.mark.parametrize("first", [True, False])
def test_a_pools_price_is_the_same_whichever_token_is_first(first: bool) -> None:
    readings = make_readings(price=1_234, base_is_token0=first)
    (pool,) = LiveSurroundings(OutlookTerms(), run=at_once).look(readings)[0].pools
    assert pool.price == pytest.approx(1_234, rel=1e-3)


def test_a_venue_or_pool_that_cannot_be_read_offers_nothing() -> None:
    readings = replace(make_readings(), venue_readable=False, pool_readable=False)
    outlook, _ = LiveSurroundings(OutlookTerms(), run=at_once).look(readings)
    assert outlook.lending == ()
    assert outlook.pools == ()


def test_the_base_fee_is_that_of_the_last_hour_and_not_of_one_block() -> None:
    surroundings = LiveSurroundings(OutlookTerms(), run=at_once)
    for minute in range(60):
        surroundings.look(moved(make_readings(base_fee_gwei=20), minute * 60))
    fee = surroundings.look(moved(make_readings(base_fee_gwei=500), 3_612))[0].base_fee_wei
    assert fee is not None
    assert 20 * 10**9 <= fee <= 30 * 10**9


def moved(readings: Readings, seconds: int) -> Readings:
    return replace(readings, block=replace(readings.block, timestamp=NOW + seconds))


# ---------------------------------------------------------------- smiles


def with_desk(readings: Readings, fault: VolatilityFault = VolatilityFault.NONE) -> Readings:
    state = DeskState(BOOK, HOUSE, SETTLEMENT, volatility(fault=fault))
    return replace(readings, options=replace(readings.options, state=state))


def test_the_vaults_volatility_oracle_gives_smiles_that_say_what_it_says() -> None:
    readings = with_desk(make_readings(price=2_000))
    smiles = LiveSurroundings(OutlookTerms(), run=at_once).look(readings)[0].smiles
    assert len(smiles) == 2
    for smile, mark in zip(smiles, volatility().marks, strict=True):
        assert 0 <= NOW + mark.tenor_s - smile.expiry < HOUR
        assert smile.forward == pytest.approx(2_000)
        for k, at in smile.points:
            strike = 2_000 * math.exp(k)
            assert at == pytest.approx(marked_volatility(volatility(), strike, 2_000, mark.tenor_s))
    assert smiles[0].points[0][1] > smiles[0].points[6][1]  # skew


def test_an_oracle_that_is_not_usable_gives_none() -> None:
    assert surface_points(volatility(fault=VolatilityFault.EXPIRED)) == ()
    broken = with_desk(make_readings(), VolatilityFault.FLOOR_UNKNOWN)
    assert LiveSurroundings(OutlookTerms(), run=at_once).look(broken)[0].smiles == ()


HEAD = (
    "instrument_name,expire_date,strike_price,option_type,underlying_price,bid_price,ask_price,"
    "mark_price,creation_timestamp\n"
)


def chain_file(folder: Path, taken_at: int) -> Path:
    rows = [
        f"ETH-{strike}-{kind},29NOV24,{strike},{kind},2000,{bid},{bid + 0.002},{bid + 0.001},{taken_at}000\n"
        for strike, kind, bid in ((1_800, "P", 0.02), (2_000, "C", 0.04), (2_200, "C", 0.02))
    ]
    file = folder / "chain.csv"
    file.write_text(HEAD + "".join(rows))
    return file


def test_a_chain_in_a_file_comes_first_and_is_not_used_when_it_is_old(tmp_path: Path) -> None:
    expiry = 1_732_867_200  # 29 November 2024, 08:00 UTC
    now = expiry - 10 * DAY
    file = chain_file(tmp_path, now - HOUR)
    readings = with_desk(make_readings())
    fresh = replace(readings, block=replace(readings.block, timestamp=now))
    terms = OutlookTerms(option_chain=file, option_chain_max_age_s=2 * HOUR)
    surroundings = LiveSurroundings(terms, run=at_once)
    (smile,) = surroundings.look(fresh)[0].smiles
    assert smile.expiry == expiry
    assert [round(2_000 * math.exp(k)) for k, _ in smile.points] == [1_800, 2_000, 2_200]
    old = replace(fresh, block=replace(fresh.block, timestamp=now + 3 * HOUR))
    assert len(surroundings.look(old)[0].smiles) == 2  # the oracle's
    assert any("is 4.0 h old" in problem for problem in surroundings.problems)


EXPIRY = 1_732_867_200
"""29 November 2024, 08:00 UTC."""


def listing(
    folder: Path, taken_at: int, price: float = 2_000
) -> tuple[LiveSurroundings, Readings, list[Callable[[], None]]]:
    """Surroundings with a file, readings ten days before its expiry, and the jobs that are not run by themselves."""
    jobs: list[Callable[[], None]] = []

    def later(job: Callable[[], None]) -> Future[None]:
        jobs.append(job)
        return Future()

    terms = OutlookTerms(option_chain=chain_file(folder, taken_at), option_chain_max_age_s=2 * HOUR)
    readings = make_readings(price=price)
    block = replace(readings.block, timestamp=EXPIRY - 10 * DAY)
    return LiveSurroundings(terms, run=later), replace(readings, block=block), jobs


def test_smiles_of_a_file_age_though_nothing_looks_at_it_any_more(tmp_path: Path) -> None:
    """A job that hangs or dies must not leave yesterday's market in force for ever."""
    surroundings, readings, jobs = listing(tmp_path, EXPIRY - 10 * DAY)
    surroundings.look(readings)
    jobs[0]()
    assert surroundings.look(readings)[0].smiles
    old = replace(readings, block=replace(readings.block, timestamp=EXPIRY - 10 * DAY + 3 * HOUR))
    assert surroundings.look(old)[0].smiles == ()


def test_no_tick_waits_for_the_first_fit_of_a_surface(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It compiles for long: it is made beside the ticks, before any of them sees the smiles."""
    surroundings, readings, jobs = listing(tmp_path, EXPIRY - 10 * DAY)
    posting = Posting(KEEPER, NOW, False, 600, DAY, Bps(500), Wad(WAD // 5))
    state = DeskState(BOOK, HOUSE, SETTLEMENT, replace(volatility(), posting=posting))
    readings = replace(readings, options=replace(readings.options, state=state))
    fitted: list[int] = []

    def fit(smiles: tuple[Smile, ...], *_: object) -> None:
        assert surroundings._file.smiles == ()
        fitted.append(len(smiles))

    monkeypatch.setattr("keeper.app.outlook.live.market_marks", fit)
    surroundings.look(readings)
    jobs[0]()
    assert fitted == [1]
    assert [smile.own for smile in surroundings.look(readings)[0].smiles] == [False]


def test_a_file_from_times_to_come_is_not_fresh_for_ever(tmp_path: Path) -> None:
    surroundings, readings, jobs = listing(tmp_path, EXPIRY - 5 * DAY)
    surroundings.look(readings)
    jobs[0]()
    assert surroundings.look(readings)[0].smiles == ()
    assert any("ahead" in problem for problem in surroundings.problems)


@pytest.mark.parametrize(
    ("price", "of_this_base"), [(1_700, True), (60_000, False), (1_000, False)]
)
def test_a_file_of_another_coin_gives_no_smiles(
    tmp_path: Path, price: float, of_this_base: bool
) -> None:
    """Its smiles would fit as well as the right ones, and marks be made of them."""
    surroundings, readings, jobs = listing(tmp_path, EXPIRY - 10 * DAY, price)
    surroundings.look(readings)
    jobs[0]()
    assert bool(surroundings.look(readings)[0].smiles) is of_this_base


def test_broken_quotes_in_a_file_are_no_points_of_a_smile(tmp_path: Path) -> None:
    now = EXPIRY - 10 * DAY
    file = chain_file(tmp_path, now)
    good, _ = smiles_of_file(file, now, DAY)
    rows = "".join(
        f"ETH-{strike}-C,29NOV24,{strike},C,2000,{bid},{ask},{bid},{now}000\n"
        for strike, bid, ask in ((2_300, 0.9, 0.95), (2_400, 1e-9, 0.99), (40_000, 0.5, 0.6))
    )
    file.write_text(file.read_text() + rows)
    listed, problem = smiles_of_file(file, now, DAY)
    assert problem == ""
    assert listed == good


def test_a_file_larger_than_any_exchange_lists_is_not_taken(tmp_path: Path) -> None:
    now = EXPIRY - 10 * DAY
    rows = "".join(
        f"ETH-{strike}-C,29NOV24,{strike},C,2000,0.01,0.02,0.015,{now}000\n"
        for strike in range(1, 10_002)
    )
    file = tmp_path / "chain.csv"
    file.write_text(HEAD + rows)
    listed, problem = smiles_of_file(file, now, DAY)
    assert listed.smiles == ()
    assert "more than 10,000 options" in problem


def test_a_forecast_that_cannot_be_made_anew_is_given_up() -> None:
    rounds = walk(10, 0.4)
    surroundings = LiveSurroundings(OutlookTerms(volatility=0.9), run=at_once)
    surroundings._rounds = dict(rounds)
    readings = feeding(make_readings(), rounds)
    assert surroundings.look(readings)[0].volatility != 0.9
    surroundings._run = lambda _job: Future()  # hangs from now on
    for hours, stated in ((2, False), (5.9, False), (6.1, True)):
        found = surroundings.look(moved(readings, round(hours * HOUR)))[0]
        assert (found.volatility == 0.9) is stated


@pytest.mark.parametrize("answer", [1, 10**30])
def test_one_round_that_cannot_be_meant_makes_no_forecast_of_thousands(answer: int) -> None:
    rounds = walk(40, 0.6)
    at = len(rounds) - 20
    rounds[at] = (rounds[at][0], answer)
    found = forecast(rounds)
    assert found is None or max(found.volatility, found.high or 0.0) <= 10.0


def test_a_surprise_in_the_outlook_neither_ends_the_tick_nor_hides_the_rest(
    tmp_path: Path,
) -> None:
    def refuses(job: Callable[[], None]) -> Future[None]:
        raise RuntimeError("can't start new thread")

    broken = LiveSurroundings(OutlookTerms(volatility=0.7), run=refuses)
    assert broken.look(make_readings()) == (Outlook(volatility=0.7), ())

    class Odd(Past):
        def agreed_batch(self, calls):  # type: ignore[no-untyped-def]
            raise ZeroDivisionError("odd")

    rounds = walk(10, 0.6)
    terms = OutlookTerms(option_chain=chain_file(tmp_path, NOW))
    surroundings = LiveSurroundings(terms, Odd(rounds), run=at_once)  # type: ignore[arg-type]
    surroundings._rounds = dict(rounds)
    assert surroundings.look(feeding(make_readings(), rounds))[0].volatility != 0.7
    assert any("odd" in problem for problem in surroundings.problems)


def test_rounds_are_not_gathered_where_no_forecast_is_made_of_them() -> None:
    surroundings = LiveSurroundings(OutlookTerms(days=0), run=at_once)
    surroundings.look(feeding(make_readings(), walk(1, 0.5)))
    assert surroundings._rounds == {}


def test_a_file_that_is_none_is_said_and_nothing_stops(tmp_path: Path) -> None:
    for text in ("", "a,b\n1,2\n", HEAD):
        file = tmp_path / "bad.csv"
        file.write_text(text)
        surroundings = LiveSurroundings(OutlookTerms(option_chain=file), run=at_once)
        assert surroundings.look(make_readings())[0].smiles == ()
        assert any("bad.csv" in problem for problem in surroundings.problems)
    missing = OutlookTerms(option_chain=tmp_path / "nowhere.csv")
    surroundings = LiveSurroundings(missing, run=at_once)
    assert surroundings.look(make_readings())[0].smiles == ()
    assert any("nowhere.csv" in problem for problem in surroundings.problems)


# ---------------------------------------------------------------- the vault's own past


def seen(readings: Readings) -> Seen:
    market = MarketState(readings, ())
    return Seen(market, assess(market))


def test_drawdown_counts_from_the_highest_share_the_journal_knows() -> None:
    plain = make_readings(supplied_base=0, debt_asset=0, idle_asset=1_000_000)
    past = [
        seen(replace(moved(plain, -i * HOUR), nav=Raw(value * 10**10)))
        for i, value in ((50, 90), (40, 125), (30, 110))
    ]
    now = replace(plain, nav=Raw(100 * 10**10))
    outlook, _ = LiveSurroundings(OutlookTerms(), past=past, run=at_once).look(now)
    assert outlook.drawdown == pytest.approx(0.2)
    alone, _ = LiveSurroundings(OutlookTerms(), run=at_once).look(now)
    assert alone.drawdown == 0.0
    assert alone.returns_volatility is None


@settings(max_examples=30, deadline=None)
@given(st.floats(0.05, 2.0), st.integers(0, 10**6))
def test_a_shares_volatility_is_that_of_its_value(yearly: float, seed: int) -> None:
    draw, track, value = random.Random(seed), ShareTrack(), 1.0
    for hour in range(24 * 30):
        track.see(NOW + hour * HOUR, value)
        value *= math.exp(draw.gauss(0.0, yearly / math.sqrt(8_760)))
    assert track.volatility == pytest.approx(yearly, rel=0.25)
    assert 0 <= (track.drawdown or 0) < 1


@pytest.mark.parametrize("apart_s", [60, HOUR, 6 * HOUR])
def test_a_shares_volatility_is_the_same_however_often_it_is_looked_at(apart_s: int) -> None:
    """A walk by the minute: what moves within an hour is counted once, at the hour."""
    draw, track, value = random.Random(3), ShareTrack(), 1.0
    for minute in range(60 * 24 * 20):
        if minute * 60 % apart_s == 0:
            # an oracle's noise goes there and back, and is nothing that a share did
            track.see(NOW + minute * 60, value * (1.002 if apart_s == 60 and minute % 2 else 1.0))
        value *= math.exp(draw.gauss(0.0, 0.8 / math.sqrt(8_760 * 60)))
    assert track.volatility == pytest.approx(0.8, rel=0.3)


def test_the_first_day_has_no_volatility_and_a_block_that_was_replaced_its_new_value() -> None:
    track = ShareTrack()
    for hour in range(24):
        track.see(NOW + hour * HOUR, 100.0 + hour % 2)
    assert track.volatility is None
    track.see(NOW + 24 * HOUR, 80.0)
    assert track.volatility is not None
    track.see(NOW + 24 * HOUR, 90.9)
    assert track.drawdown == pytest.approx(0.1)
    track.see(NOW + 20 * HOUR, 10.0)
    assert track.drawdown == pytest.approx(0.1)


def test_what_is_no_value_is_no_past() -> None:
    track = ShareTrack()
    for value in (0.0, -1.0, math.nan, math.inf):
        track.see(NOW, value)
    assert track.drawdown is None


# ---------------------------------------------------------------- what strategies make of it


def test_what_was_seen_is_journalled_and_reads_back_the_same() -> None:
    """K-07: a replay decides on the outlook that was recorded, to the last bit."""
    rounds = walk(80, 0.8)
    surroundings = LiveSurroundings(OutlookTerms(), Past(rounds), run=at_once)  # type: ignore[arg-type]
    readings = with_desk(feeding(make_readings(), rounds))
    market = MarketState(readings, (), settled(surroundings, readings), ())
    assert market.outlook.volatility is not None
    assert decode(encode(market)) == market
    assert isinstance(decode(encode(market)).outlook, Outlook)


@pytest.mark.parametrize(
    ("strategy", "says"),
    [
        (VolatilityTarget(CoveredCall()), "outlook.days"),
        (ShortStrangle(window_hours=0), "outlook.option_chain"),
    ],
)
def test_a_strategy_without_what_it_needs_holds_and_says_what_to_set(
    strategy: object, says: str
) -> None:
    from tests.unit.strategies.worlds import vault

    readings = vault()
    outlook, held = LiveSurroundings(OutlookTerms(), run=at_once).look(readings)
    market = MarketState(readings, (), outlook, held)
    target = strategy(market, assess(market))  # type: ignore[operator]
    assert target.hold
    assert says in target.reason
