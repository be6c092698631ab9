"""keeper data check: every fault of a file is found, counted and placed."""

from pathlib import Path

import pytest

from keeper.cli.main import invoke
from keeper.errors import MarketDataError
from keeper.history.sanity import Level, Sanity, check_file
from keeper.history.table import market_data

HEAD = "t,open,high,low,close,volume\n"


def good(n: int) -> list[str]:
    """Bars of an hour that move a little, each differently."""
    rows = []
    for i in range(n):
        price = 100 + (i * 37 % 11) / 10
        rows.append(f"{i * 3600},{price},{price + 1},{price - 1},{price},5")
    return rows


def checked(tmp_path: Path, rows: list[str], head: str = HEAD) -> Sanity:
    file = tmp_path / "f.csv"
    file.write_text(head + "\n".join(rows) + "\n")
    return check_file(file)


def test_a_good_file_has_no_findings(tmp_path: Path) -> None:
    found = checked(tmp_path, good(50))
    assert (found.kind, found.rows, found.step_s, found.findings) == ("bars", 50, 3_600, ())
    assert found.usable


@pytest.mark.parametrize(
    ("row", "level", "what"),
    [
        ("{t},100,101,99,100,0", Level.WARN, "bars without volume"),
        ("{t},100,101,99,100,-1", Level.FAIL, "negative volumes"),
        ("{t},-5,101,-5,100,1", Level.FAIL, "open prices that are not positive"),
        ("{t},100,99,101,100,1", Level.FAIL, "highs below the low"),
        ("{t},100,101,99,102,1", Level.FAIL, "close outside low and high"),
        ("0,100,101,99,100,1", Level.FAIL, "times before the row above"),
        ("{before},100,101,99,100,1", Level.FAIL, "times that stand twice"),
        ("{off},100,101,99,100,1", Level.FAIL, "times off the step of 3600 s"),
        ("{far},100,101,99,100,1", Level.WARN, "gaps"),
        ("{t},900,901,899,900,1", Level.WARN, "returns far outside the rest"),
    ],
)
def test_each_fault_is_named_with_its_line(
    tmp_path: Path, row: str, level: Level, what: str
) -> None:
    rows = good(50)
    t = 50 * 3_600
    rows.append(row.format(t=t, before=t - 3_600, off=t + 60, far=t + 10 * 3_600))
    found = checked(tmp_path, rows)
    named = {f.what: f for f in found.findings}
    assert (named[what].level, named[what].count, named[what].first_line) == (level, 1, 52)
    assert found.usable is all(f.level is Level.WARN for f in found.findings)


def test_gaps_are_counted_in_steps(tmp_path: Path) -> None:
    rows = [row for i, row in enumerate(good(50)) if i not in (10, 11, 12, 30)]
    found = checked(tmp_path, rows)
    assert (found.missing_steps, found.largest_gap_steps) == (4, 3)


def test_prices_that_stand_still_are_shown(tmp_path: Path) -> None:
    rows = good(30) + [f"{(30 + i) * 3600},100,101,99,100,5" for i in range(12)]
    (found,) = checked(tmp_path, rows).findings
    assert (found.what, found.first_line) == ("closes that did not move for 12 bars", 43)


def test_rounds_funding_and_chains_are_known_by_their_columns(tmp_path: Path) -> None:
    rounds = ["1,0,0,0", "2,5,100,100", "3,5,90,90", "3,-1,200,200"]
    found = checked(tmp_path, rounds, "roundId,answer,startedAt,updatedAt\n")
    assert {f.what for f in found.findings} == {
        "all-zero rounds",
        "answers that are not positive",
        "round ids that stand twice",
        "rounds updated before the one above",
    }
    funding = checked(tmp_path, ["0,0.0001", "28800,0.5"], "t,funding_rate\n")
    assert [f.what for f in funding.findings] == ["rates beyond 0.1 a period"]
    head = "instrument_name,strike_price,option_type,creation_timestamp,bid_price,ask_price\n"
    chain = checked(tmp_path, ["a,100,C,0,2,1", "a,-1,X,0,,1"], head)
    assert {f.what for f in chain.findings} == {
        "strikes that are not positive",
        "types other than C and P",
        "instruments that stand twice",
        "options without bid_price",
        "crossed quotes",
    }


def test_a_file_of_no_known_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match="of no known kind"):
        checked(tmp_path, ["1,2"], "a,b\n")


def test_the_command_ends_with_1_for_a_file_that_no_reader_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "f.csv"
    file.write_text(HEAD + "\n".join(good(5)) + "\n")
    assert invoke(["data", "check", str(file)]) == 0
    assert "nothing wrong" in capsys.readouterr().out
    file.write_text(HEAD + "0,-1,1,-1,1,1\n")
    assert invoke(["data", "check", str(file), "--json"]) == 1
    assert '"usable": false' in capsys.readouterr().out


def test_the_real_history_has_its_known_holes_and_nothing_that_a_reader_refuses() -> None:
    try:
        path = market_data("spot_binance_ETHUSDT_1h_2017-08_2023-12.csv.gz")
    except MarketDataError as error:
        pytest.skip(str(error))
    found = check_file(path)
    assert (found.rows, found.missing_steps, found.usable) == (55_740, 128, True)
