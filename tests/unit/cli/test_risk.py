"""keeper risk without a chain: from a snapshot, from a journal, in every form, and with every mistake."""

import json
from pathlib import Path

import numpy as np
import pytest

from keeper.cli.main import invoke
from keeper.journal.codec import encode
from keeper.journal.store import SqliteJournal
from keeper.model.decision import Lane, Plan, Target, Verdict
from keeper.model.units import Raw, Wad
from keeper.report.risk_schema import risk_schema, risk_schema_text
from keeper.risk import assess
from tests.builders import make_market, make_readings
from tests.unit.report.schema_check import faults
from tests.unit.risk.books import series, with_options

Says = pytest.CaptureFixture[str]
MARKET = make_market(with_options(series(), readings=make_readings(idle_asset=50_000)))


@pytest.fixture
def snapshot(tmp_path: Path) -> str:
    path = tmp_path / "state.json"
    path.write_text(encode(MARKET), encoding="utf-8")
    return str(path)


@pytest.fixture
def journal(tmp_path: Path) -> str:
    path = tmp_path / "journal.sqlite"
    book = SqliteJournal(path)
    target = Target(Lane.ROUTINE, None, None, "hold")
    plan = Plan(Lane.ROUTINE, (), "hold", Wad(0), Raw(0), Raw(0), Raw(0), 0, False)
    book.record_decision(MARKET, assess(MARKET), target, plan, Verdict(()), None)
    book.close()
    return str(path)


@pytest.fixture
def bars(tmp_path: Path) -> str:
    g = np.random.default_rng(1)
    closes = 2_000 * np.exp(np.cumsum(0.01 * g.standard_normal(1_500)))
    lines = ["t,open,high,low,close"]
    lines += [f"{3600 * (i + 1)},{c},{c},{c},{c}" for i, c in enumerate(closes)]
    path = tmp_path / "bars.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def test_a_snapshot_is_judged_as_a_table(snapshot: str, capsys: Says) -> None:
    assert invoke(["risk", "--snapshot", snapshot, "--volatility", "0.8", "--no-modules"]) == 0
    out = capsys.readouterr().out
    for word in ("Limits", "Liquidation", "Scenarios", "What fails", "option-1", "value at risk"):
        assert word in out


def test_json_is_the_schemas(snapshot: str, capsys: Says) -> None:
    assert invoke(["risk", "--snapshot", snapshot, "--volatility", "0.8", "--json"]) == 0
    plain, schema = json.loads(capsys.readouterr().out), risk_schema()
    assert faults(plain, schema, schema) == []
    assert plain["volatility"] == 0.8


def test_the_schema_is_printed_as_it_is_kept(capsys: Says) -> None:
    assert invoke(["risk", "--schema"]) == 0
    assert capsys.readouterr().out == risk_schema_text()


def test_a_page_is_written_and_json_with_it(snapshot: str, tmp_path: Path, capsys: Says) -> None:
    page = tmp_path / "deep" / "risk.html"
    assert invoke(["risk", "--snapshot", snapshot, "--html", str(page), "--json"]) == 0
    said = capsys.readouterr()
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert json.loads(said.out)["volatility"] is None
    assert str(page) in said.err


def test_a_journals_decision_is_judged(journal: str, capsys: Says) -> None:
    assert invoke(["risk", "--journal", journal, "--block", "100", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["block_number"] == 100


def test_a_history_gives_volatility_and_shape(snapshot: str, bars: str, capsys: Says) -> None:
    assert invoke(["risk", "--snapshot", snapshot, "--history", bars, "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["volatility"] == pytest.approx(0.01 * 8_760**0.5, rel=0.3)
    assert plain["tail"]["method"] == "filtered history"


def test_a_given_volatility_overrules_the_historys(snapshot: str, bars: str, capsys: Says) -> None:
    arguments = ["risk", "--snapshot", snapshot, "--history", bars, "--volatility", "0.5", "--json"]
    assert invoke(arguments) == 0
    assert json.loads(capsys.readouterr().out)["volatility"] == 0.5


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--snapshot", "nowhere.json"], "option --snapshot: nowhere.json: No such file"),
        (["--journal", "nowhere.sqlite"], "option --journal: nowhere.sqlite is no file"),
        (["--snapshot", "a", "--journal", "b"], "is given with --journal"),
        (["--block", "7"], "is given without --journal"),
        (["--snapshot", "{bad}"], "option --snapshot"),
        (["--snapshot", "{other}"], "holds a Refusal"),
        (["--snapshot", "{good}", "--volatility", "-1"], "volatility: is -1.0; give 0 to 10"),
        (["--snapshot", "{good}", "--volatility", "nan"], "volatility: is nan"),
        (["--snapshot", "{good}", "--history", "{bad}"], "market data"),
        (["--snapshot", "{good}", "--html", "{good}/x.html"], "option --html"),
        (["--journal", "{journal}", "--block", "7"], "no decision at block 7"),
    ],
)
def test_a_mistake_is_one_line(  # noqa: PLR0917 - fixtures
    arguments: list[str], says: str, snapshot: str, journal: str, tmp_path: Path, capsys: Says
) -> None:
    bad, other = tmp_path / "bad.json", tmp_path / "other.json"
    bad.write_text("{", encoding="utf-8")
    other.write_text('{"$":"Refusal","rule":"a","message":"b"}', encoding="utf-8")
    names = {"bad": str(bad), "other": str(other), "good": snapshot, "journal": journal}
    given = [a.format(**names) for a in arguments]
    assert invoke(["risk", "--no-modules", *given]) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1
    assert "Traceback" not in err
