"""Files as events: what is read, when it is known, and what is refused with file, row and column."""

from pathlib import Path

import pytest

from keeper.backtest.events import (
    Event,
    FundingEvent,
    GasEvent,
    PriceEvent,
    RatesEvent,
    RoundEvent,
    SmilesEvent,
    VolatilityEvent,
)
from keeper.backtest.files import Files, read_events
from keeper.backtest.sources import from_gas, from_index, from_rates
from keeper.errors import MarketDataError
from keeper.model.units import WAD

BARS = "t,open,high,low,close,volume\n"
GOOD = "3600,10,12,9,11,5\n7200,11,11,11,11,5\n10800,11,13,10,12,1\n"


def file(folder: Path, text: str, name: str = "prices.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def read(folder: Path, text: str, **given: object) -> list[Event]:
    return list(read_events(Files(file(folder, text), **given)))  # type: ignore[arg-type]


def test_a_bar_is_known_when_it_is_over(tmp_path: Path) -> None:
    events = read(tmp_path, BARS + GOOD)
    assert [(e.time, e.price_wad // WAD) for e in events if isinstance(e, PriceEvent)] == [
        (7_200, 11),
        (10_800, 11),
        (14_400, 12),
    ]
    assert all(e.decides for e in events)


def test_the_inside_of_a_bar_is_played_without_decisions(tmp_path: Path) -> None:
    events = read(tmp_path, BARS + "3600,10,15,9,11,5\n7200,11,11,11,11,5\n", inside=True)
    first = [e for e in events if isinstance(e, PriceEvent)][:3]
    # nearer to the open comes first: known from the open alone
    assert [e.price_wad // WAD for e in first] == [9, 15, 11]
    assert [e.time for e in first] == [4_800, 6_000, 7_200]
    assert [e.decides for e in first] == [False, False, True]
    ticks = read(tmp_path, BARS + GOOD, inside=True, ticks_inside=True)
    assert all(e.decides for e in ticks)


@pytest.mark.parametrize(
    ("rows", "row", "column", "words"),
    [
        ("3600,10,12,9,11,5\n3600,11,11,11,11,5\n7200,1,1,1,1,1\n", 3, "t", "twice"),
        ("7200,10,12,9,11,5\n3600,11,11,11,11,5\n7300,1,1,1,1,1\n", 3, "t", "before the row above"),
        ("3600,10,12,9,11,5\n7200,-1,11,11,11,5\n", 3, "open", "not a positive price"),
        ("3600,10,12,9,11,5\n7200,11,11,11,11,0\n", 3, "volume", "no volume"),
        ("3600,10,12,9,11,5\n7200,11,x,11,11,5\n", 3, "high", "'x' is not a number"),
        (GOOD + "18000,1,1,1,1,1\n", 5, "t", "1 steps of 3600 s are missing"),
        ("3600,10,12,9,11,5\n", 2, "t", "less than two times"),
        (GOOD + "18000,1,1,1,1,1\n", 5, "t", "--max-missing 1"),
        ("1600000000000,1,1,1,1,1\n1600003600000,1,1,1,1,1\n", 2, "t", "milliseconds"),
        ("3600,10,12,9,11,5\n7200,1e300,1e300,1e300,1e300,5\n", 3, "open", "beyond any market"),
        ("3600,1e-9,1e-9,1e-9,1e-9,5\n7200,1,1,1,1,5\n", 2, "open", "beyond any market"),
    ],
)
def test_what_is_wrong_with_bars_is_said_with_row_and_column(
    tmp_path: Path, rows: str, row: int, column: str, words: str
) -> None:
    with pytest.raises(MarketDataError, match=words) as caught:
        read(tmp_path, BARS + rows)
    assert (caught.value.row, caught.value.column) == (row, column)
    assert caught.value.path.endswith("prices.csv")


@pytest.mark.parametrize(
    ("rows", "column", "words"),
    [("5,1e40\n", "price", "beyond any market"), ("1600000000000,10\n", "t", "milliseconds")],
)
def test_what_is_wrong_with_ticks_is_said_with_column(
    tmp_path: Path, rows: str, column: str, words: str
) -> None:
    with pytest.raises(MarketDataError, match=words) as caught:
        read(tmp_path, "t,price\n" + rows)
    assert (caught.value.row, caught.value.column) == (2, column)


def test_funding_of_one_venue_needs_no_column_that_names_it(tmp_path: Path) -> None:
    rates = file(tmp_path, "t,funding_rate\n7200,0.001\n10800,0.002\n", "funding.csv")
    events = read(tmp_path, BARS + GOOD, funding=rates)
    assert [e.time for e in events if isinstance(e, FundingEvent)] == [7_200, 10_800]


def test_a_span_that_ends_before_it_begins_is_said_in_days(tmp_path: Path) -> None:
    path = file(tmp_path, BARS + GOOD)
    with pytest.raises(MarketDataError, match="2020-09-20 00:00:00 is not before 2020-09-15"):
        read_events(Files(path), 1_600_560_000, 1_600_128_000)


def test_missing_columns_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match="lacks the columns close, low") as caught:
        read(tmp_path, "t,open,high\n1,2,3\n")
    assert caught.value.row == 1


def test_gaps_and_empty_bars_are_taken_where_they_are_accepted(tmp_path: Path) -> None:
    rows = BARS + "3600,10,12,9,11,5\n7200,11,11,11,11,0\n14400,12,12,12,12,1\n"
    events = read(tmp_path, rows, max_missing=1, accept_no_volume=True)
    assert [e.time for e in events] == [7_200, 10_800, 18_000]


def test_a_fault_outside_the_span_stops_nobody(tmp_path: Path) -> None:
    path = file(tmp_path, BARS + GOOD + "90000,1,1,1,1,0\n")
    assert len(list(read_events(Files(path), None, 20_000))) == 3
    with pytest.raises(MarketDataError, match="no price between"):
        list(read_events(Files(path), 200_000, None))
    with pytest.raises(MarketDataError, match="not before"):
        list(read_events(Files(path), 5, 5))


def test_ticks_and_rounds_are_told_by_their_columns(tmp_path: Path) -> None:
    ticks = read(tmp_path, "t,price\n5,100\n5,101\n9,102\n")
    assert [(e.time, e.price_wad // WAD) for e in ticks if isinstance(e, PriceEvent)] == [
        (5, 101),
        (9, 102),
    ]
    one = 1 << 64
    rounds = f"roundId,answer,startedAt,updatedAt,answeredInRound\n{one},200000000000,5,5,{one}\n"
    found = read(tmp_path, rounds)
    assert found == [
        RoundEvent(5, 2_000 * 10**8, False),
        PriceEvent(5, 2_000 * WAD),
    ]
    with pytest.raises(MarketDataError, match="before the row above"):
        read(tmp_path, "t,price\n5,100\n4,101\n")
    with pytest.raises(MarketDataError, match="not a positive price"):
        read(tmp_path, "t,price\n5,-100\n")


def test_an_index_is_known_at_the_end_of_its_hour_or_day(tmp_path: Path) -> None:
    hours = list(from_index(file(tmp_path, "t,dvol_close\n3600,80.5\n")))
    days = list(from_index(file(tmp_path, "date,dvol_close\n1970-01-02,60\n")))
    assert hours == [VolatilityEvent(7_200, 805 * WAD // 1_000)]
    assert days == [VolatilityEvent(2 * 86_400, 6 * WAD // 10)]
    with pytest.raises(MarketDataError, match="is no volatility"):
        list(from_index(file(tmp_path, "t,dvol_close\n3600,-1\n")))
    with pytest.raises(MarketDataError, match="lacks a time"):
        list(from_index(file(tmp_path, "when,dvol_close\n3600,10\n")))
    with pytest.raises(MarketDataError, match="is not a date"):
        list(from_index(file(tmp_path, "date,dvol_close\nnever,10\n")))


def test_gas_and_rates_are_read_in_their_units(tmp_path: Path) -> None:
    gas = list(from_gas(file(tmp_path, "ts_utc,avg_gas_wei\n1970-01-01T00:10:00.000Z,5e9\n")))
    assert gas == [GasEvent(1_200, 5 * 10**9)]
    text = "block_timestamp,liquidity_rate,variable_borrow_rate\n1970-01-01 00:00:10,0.02,0.03\n"
    rates = list(from_rates(file(tmp_path, text), of_base=True))
    assert rates == [RatesEvent(10, True, 2 * 10**25, 3 * 10**25)]
    with pytest.raises(MarketDataError, match="is no yearly rate"):
        list(from_rates(file(tmp_path, text.replace("0.03", "30")), of_base=True))


def test_what_held_before_the_first_price_is_carried_in(tmp_path: Path) -> None:
    funding = file(
        tmp_path,
        "venue,t,funding_rate\nx,0,0.0001\nx,28800,0.0002\nx,57600,0.0003\n",
        "funding.csv",
    )
    index = file(tmp_path, "t,dvol_close\n0,50\n3600,60\n", "index.csv")
    rows = "".join(f"{t},10,10,10,10,1\n" for t in range(25_200, 60_000, 3_600))
    path = file(tmp_path, BARS + rows)
    events = list(read_events(Files(path, funding=funding, volatility=index)))
    assert [e.time for e in events if isinstance(e, FundingEvent)] == [0, 28_800, 57_600]
    assert next(e for e in events if isinstance(e, VolatilityEvent)).time == 7_200
    assert [e.time for e in events] == sorted(e.time for e in events)


def test_a_chain_becomes_smiles_that_ascend(tmp_path: Path) -> None:
    head = (
        "instrument_name,expire_date,strike_price,option_type,underlying_price,bid_price,"
        "ask_price,mark_price,creation_timestamp\n"
    )
    rows = "".join(
        f"ETH-9FEB24-{k}-{kind},9FEB24,{k},{kind},2300,{bid},{ask},{bid},1704700000000\n"
        for k, kind, bid, ask in (
            (2_000, "P", 0.020, 0.022),
            (2_300, "C", 0.060, 0.063),
            (2_600, "C", 0.025, 0.027),
            (2_600, "P", 0.150, 0.160),
        )
    )
    index = file(tmp_path, head + rows, "chain.csv")
    prices = file(tmp_path, "t,price\n1704700000,2300\n")
    events = list(read_events(Files(prices, chain=index)))
    (smiles,) = [e.smiles for e in events if isinstance(e, SmilesEvent)]
    (smile,) = smiles
    assert [round(k, 3) for k, _ in smile.points] == [-0.140, 0.0, 0.123]
    assert all(0.2 < v < 2 for _, v in smile.points)
