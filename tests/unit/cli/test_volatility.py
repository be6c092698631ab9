"""keeper volatility: the comparison and the fit report, as tables and for programs; clear words for wrong files."""

import json
from pathlib import Path

import numpy as np
import pytest

from keeper.cli.main import invoke
from keeper.history.chain import NEEDED
from keeper.quant.black import price
from keeper.quant.volatility import standard_methods
from tests.unit.quant.volatility.series import garch_returns

Says = pytest.CaptureFixture[str]

HOUR = 3_600
BEGIN = 1_600_000_000 // 86_400 * 86_400


def hourly_file(tmp_path: Path, days: int = 160) -> Path:
    close = 2_000 * np.exp(np.cumsum(garch_returns(days * 24)) / 200)
    opens = np.concatenate(([2_000.0], close[:-1]))
    rows = [
        f"{BEGIN + i * HOUR},{o},{max(o, c)},{min(o, c)},{c}"
        for i, (o, c) in enumerate(zip(opens, close, strict=True))
    ]
    file = tmp_path / "hours.csv"
    file.write_text("t,open,high,low,close\n" + "\n".join(rows))
    return file


def chain_file(tmp_path: Path) -> Path:
    """Two expiries, flat at 70 %, and a put without a bid."""
    rows: list[tuple[object, ...]] = []
    for date, days in (("19JAN24", 11), ("26JAN24", 18)):
        for strike in (1_800, 2_000, 2_200, 2_400):
            value = (
                float(price(2_200, strike, (days * 86_400 - 2 * HOUR) / (365 * 86_400), 0.7, 1))
                / 2_200
            )
            rows.append(
                (f"ETH-{date}-{strike}-C", date, strike, "C", 2_200, value * 0.99, value * 1.01)
            )
    rows.append(("ETH-19JAN24-2000-P", "19JAN24", 2_000, "P", 2_200, "", 0.01))
    stamp = 1_704_708_000_000  # 2024-01-08 10:00 UTC
    lines = [f"{','.join(map(str, row))},{0.02},{stamp}" for row in rows]
    file = tmp_path / "chain.csv"
    file.write_text("\n".join([",".join(NEEDED), *lines]))
    return file


def test_forecast_prints_every_method_with_its_loss(tmp_path: Path, capsys: Says) -> None:
    assert invoke(["volatility", "forecast", str(hourly_file(tmp_path)), "--first", "120"]) == 0
    out = capsys.readouterr().out
    for method in standard_methods():
        assert method.name in out
    assert "QLIKE" in out
    assert "regime after the last day" in out


def test_forecast_for_programs_says_the_same(tmp_path: Path, capsys: Says) -> None:
    command = ["volatility", "forecast", str(hourly_file(tmp_path)), "--first", "120", "--json"]
    assert invoke(command) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["bars"] == 160 * 24
    assert facts["days"] == 159
    assert [m["name"] for m in facts["methods"]] == [m.name for m in standard_methods()]
    assert facts["methods"][0]["diebold_mariano"] is None
    month = facts["forecasts"]["month, GJR-t"]
    assert month["low"] < month["volatility"] < month["high"]
    assert facts["regime"] in ("calm", "normal", "stressed")


def test_surface_reports_the_fit(tmp_path: Path, capsys: Says) -> None:
    assert invoke(["volatility", "surface", str(chain_file(tmp_path))]) == 0
    out = capsys.readouterr().out
    assert "8 quotes kept, dropped: 1 empty" in out
    assert "no butterfly or calendar arbitrage" in out


def test_surface_for_programs_names_what_was_left_out(tmp_path: Path, capsys: Says) -> None:
    assert invoke(["volatility", "surface", str(chain_file(tmp_path)), "--dropped", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert [round(e["level"], 2) for e in facts["expiries"]] == [0.7, 0.7]
    assert facts["left_out"] == {"empty": ["ETH-19JAN24-2000-P"]}
    assert facts["least_g"] >= 0
    assert facts["ending"] == "converged"


def test_a_wrong_file_is_named_in_one_line(tmp_path: Path, capsys: Says) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("a,b\n1,2\n")
    for command in ("forecast", "surface"):
        assert invoke(["volatility", command, str(wrong)]) == 2
        said = capsys.readouterr().err
        assert "wrong.csv" in said
        assert "lacks the columns" in said
        assert said.count("\n") == 1


def test_too_few_days_are_refused_in_words(tmp_path: Path, capsys: Says) -> None:
    assert invoke(["volatility", "forecast", str(hourly_file(tmp_path, days=70))]) == 2
    assert "leaves no day" in capsys.readouterr().err


def test_absent_market_data_says_which_variable_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Says
) -> None:
    monkeypatch.setenv("GIMBAL_MARKET_DATA", str(tmp_path))
    assert invoke(["volatility", "forecast"]) == 2
    assert "GIMBAL_MARKET_DATA" in capsys.readouterr().err
