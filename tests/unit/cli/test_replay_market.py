"""keeper replay-market: one clear line for a mistake, before any chain is started."""

from pathlib import Path

import pytest

from keeper.cli.main import invoke
from keeper.cli.replay_market import _command, _interrupted
from keeper.errors import JournalError
from keeper.replay_market import stage

START = 1_600_000_000


@pytest.fixture(autouse=True)
def no_chain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever starts a chain is a failure of these tests."""

    def started(*_: object, **__: object) -> None:
        raise AssertionError("a chain was started")

    monkeypatch.setattr(stage, "start_unforked", started)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GIMBAL_MARKET_DATA", raising=False)


def rows(*hours: int, header: str = "t,open,high,low,close") -> str:
    return header + "\n" + "".join(f"{START + 3_600 * h},100,101,99,100\n" for h in hours)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (rows(0, 1, 2, header="t,open,high,low,last"), "lacks the column close"),
        (rows(0, 1, 5, 6), "missing before this row"),
        (rows(0, 2, 1), "column 't'"),
        (rows(0, 1, 1), "column 't'"),
        (rows(0), "less than two times"),
        (rows(), "no"),
        ("t,price\n1600000000,100\n1600000000,100\n", "one price only"),
        ("t,price\n1600000060,100\n1600000000,100\n", "is before the row above"),
        ("t,price\n1600000000,-5\n", "is not a positive price"),
        ("time_period_start,price_open,price_high,price_low,price_close\nnoon,1,1,1,1\n", "no"),
        ("timestamp,openTick,highestTick,lowestTick,closeTick\n2023-01-01,1,1,1,9999999\n", "tick"),
    ],
)
def test_a_file_that_cannot_be_played_is_refused_by_name(
    content: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "prices.csv"
    file.write_text(content)
    assert invoke(["replay-market", "--data", str(file)]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert str(file) in line or "prices" in line
    assert said in line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--data", "nowhere.csv"], "does not exist"),
        (["--rounds", "rounds.csv"], "belongs to a price file"),
        (["--from", "2020-03-12"], "belongs to a price file"),
        (["--scenario", "nonsense"], "is unknown"),
        (["--strategy", "nonsense"], "no strategy 'nonsense'"),
        (["--set", "low"], "is no key=value"),
        (["--set", "nonsense=1"], "no such parameter"),
        (["--from", "yesterday"], "is no date"),
        (["--every", "-1"], "--every"),
        (["--health", "1"], "--health"),
    ],
)
def test_options_that_cannot_be_are_refused(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["replay-market", *words]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert said in line


def test_a_span_without_a_price_and_two_sources_at_once_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "prices.csv"
    file.write_text(rows(*range(9)))
    assert invoke(["replay-market", "--data", str(file), "--from", "2021-01-01"]) == 2
    assert invoke(["replay-market", "--data", str(file), "--scenario", "crash"]) == 2
    said = capsys.readouterr().err
    assert "has no price between the two times" in said
    assert "takes the scenario's place" in said


def test_a_folder_that_cannot_be_written_is_told_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert invoke(["replay-market", "--out", str(tmp_path / "file" / "out")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_database_stopped_in_a_write_is_an_interruption_and_a_broken_one_is_none() -> None:
    def fault(inner: BaseException) -> JournalError:
        error = JournalError("file", "cannot operate on a closed database")
        error.__context__ = inner
        return error

    assert _interrupted(fault(KeyboardInterrupt()))
    assert _interrupted(KeyboardInterrupt())
    assert not _interrupted(fault(OSError()))


def test_the_command_that_makes_a_run_again_names_what_was_chosen() -> None:
    options = {"strategy": "delta_band", "seed": 1, "settings": ["band=2"], "noise": False}
    assert _command(options) == (
        "keeper replay-market --strategy delta_band --seed 1 --set band=2 --no-noise"
    )
