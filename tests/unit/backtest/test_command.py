"""keeper backtest: what it prints, what it writes, and one clear line for a mistake."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from keeper.backtest.record import COLUMNS
from keeper.cli.main import invoke

HOURS = 30


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    rows = "".join(
        f"{1_600_000_400 + i * 3_600},{p},{p + 5},{p - 5},{p + 1},3\n"
        for i, p in enumerate(2_000 - 12 * i for i in range(HOURS))
    )
    path = tmp_path / "bars.csv"
    path.write_text("t,open,high,low,close,volume\n" + rows)
    return path


def run(*words: object) -> int:
    return invoke(["backtest", "--strategy", "collateral_guard", *map(str, words)])


def test_json_says_everything_and_the_folder_holds_it(
    bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run("--data", bars, "--health", 1.5, "--set", "low=1.3", "--json", "--out", out) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["attribution"]["exact"] is True
    assert facts["steps"] == HOURS
    assert facts["transactions"] >= 1
    assert facts["lowest_health"] > 1.25
    steps = pq.read_table(out / "steps.parquet").to_pydict()
    assert {name for name, _ in COLUMNS} < set(steps)
    assert len(steps["time"]) == HOURS
    entries = pq.read_table(out / "entries.parquet").to_pydict()
    change = round((facts["closing_nav"] - facts["opening_nav"]) * 10**6)
    assert sum(entries["amount"]) == change
    assert json.loads((out / "summary.json").read_text()) == facts


def test_the_table_names_every_part_of_the_result(
    bars: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--data", bars, "--health", 1.5, "--from", "2020-09-13", "--to", "2020-09-14") == 0
    said = capsys.readouterr().out
    for words in ("NAV", "Sharpe", "liquidations", "beta", "delta", "residual"):
        assert words in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--set", "nope=1"), "no such parameter"),
        (("--set", "low"), "'low' is no key=value"),
        (("--set", "low=1.3", "--set", "low=1.2"), "given twice"),
        (("--set", "low=3"), "1 < low < target < high"),
        (("--from", "soon"), "'soon' is no date"),
        (("--from", "2021-01-01"), "no price between the two times"),
        (("--world", "pool.fee=5"), "the world has no pool.fee"),
        (("--world", "pool.fee_pips=a"), "is a whole number"),
        (("--world", "pool=5"), "has parts"),
        (("--world", "epoch_s.x=5"), "too deep"),
        (("--world", "chain.block_s=0"), "at least 1 s"),
        (("--health", "1.02"), "stops lending"),
        (("--funding", "nowhere.csv"), "does not exist"),
        (("--names", "ETH"), "'ETH' is not two names"),
        (("--names", "a,b,c"), "'a,b,c' is not two names"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    bars: Path, words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--data", bars, *words) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert "Traceback" not in error


@pytest.mark.parametrize("option", ["--out", "--html"])
@pytest.mark.parametrize("within", ["", "inner/"])
def test_a_place_that_cannot_be_written_is_said_before_the_run(
    bars: Path,
    option: str,
    within: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run may take an hour, and what it found would be lost."""
    monkeypatch.setattr("keeper.cli.backtest._run", lambda *_: pytest.fail("it ran"))
    there = bars if within or option == "--out" else bars.parent
    assert run("--data", bars, option, f"{there}/{within}".rstrip("/")) == 2
    assert option in capsys.readouterr().err


def test_why_the_vault_was_held_and_why_there_are_no_ratios_is_said(
    bars: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--data", bars) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "last held because no position" in said
    assert "ratios need 20 days of history, here are 2" in said


def test_the_world_can_be_changed_by_name(bars: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for depth in ("1_000_000_000_000", "400_000_000_000_000"):
        words = ("--data", bars, "--health", 1.3, "--world", f"pool.depth={depth}", "--json")
        assert run(*words) == 0
        found.append(json.loads(capsys.readouterr().out))
    shallow, deep = (f["attribution"]["parts"]["slippage"] for f in found)
    assert shallow != deep


def test_a_tear_sheet_is_written_where_it_is_wanted(
    bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "sheets" / "run.html"
    assert run("--data", bars, "--health", 1.6, "--html", page) == 2
    told = capsys.readouterr()
    assert "less than three days" in told.err
    assert "largest drawdown" in told.out  # what was computed is not lost with the page
    first = int(bars.read_text().splitlines()[1].partition(",")[0])
    rows = [
        f"{first + i * 3_600},{p},{p + 5},{p - 5},{p}" for i, p in enumerate([2_000, 1_990] * 60)
    ]
    bars.write_text("t,open,high,low,close\n" + "\n".join(rows))
    given = ["--data", bars, "--set", "low=1.2", "--set", "target=1.5", "--health", 1.6, "--inside"]
    assert run(*given, "--html", page) == 0
    assert "<svg" in page.read_text()
    again = f"--strategy collateral_guard --data {bars} --set low=1.2 --set target=1.5"
    assert f"keeper backtest {again} --deposit 1000000.0 --health 1.6" in page.read_text()
    assert "collateral_guard on ETH" in page.read_text()
