"""keeper report: a journal as figures, JSON and a page."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from keeper.cli.main import invoke
from keeper.journal.store import SqlJournal, open_journal
from keeper.model.decision import Verdict
from keeper.model.outcome import AttemptResult, AttemptStatus
from keeper.risk import assess
from tests.builders import NOW, VAULT, make_market, make_readings
from tests.unit.execution.intents import make_plan, make_test_intent
from tests.unit.journal.values import HOLD, sent

HOUR_S = 3_600


def decide(journal: SqlJournal, hour: int, price: float, *, sends: bool = False) -> None:
    readings = make_readings(price=price)
    block = replace(readings.block, number=100 + hour, timestamp=NOW + hour * HOUR_S)
    market = make_market(replace(readings, block=block, total_shares=10**24))
    intent = make_test_intent(counter=journal.intent_count()) if sends else None
    journal.record_decision(market, assess(market), HOLD, make_plan(), Verdict(()), intent)
    if intent is not None:
        attempt = sent(journal, intent, f"0x{hour:064x}")
        result = AttemptResult(
            intent.id, attempt.tx_hash, AttemptStatus.MINED, 100 + hour, 500_000, 20 * 10**9
        )
        journal.settle(result, AttemptStatus.REPLACED)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Six days by the hour; two intents were mined."""
    file = tmp_path / "j.sqlite"
    with open_journal(file) as journal:
        for hour in range(24 * 6):
            price = 2_000 + 40 * ((hour * 7) % 11)
            decide(journal, hour, price, sends=hour in {30, 70})
    return file


def reported(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, object]:
    assert invoke(["report", "--journal", str(path), "--json", *options]) == 0
    facts: dict[str, object] = json.loads(capsys.readouterr().out)
    return facts


def test_the_report_shows_returns_costs_and_where_they_came_from(
    path: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "out" / "sheet.html"
    command = ["report", "--journal", str(path), "--html", str(page), "--names", "USDC,WETH"]
    assert invoke(command) == 0
    shown = capsys.readouterr().out
    for words in ("annual return", "deepest drawdown", "residual", "2 took effect, 0 reverted"):
        assert words in shown
    assert "<svg" in page.read_text()
    assert "USDC" in page.read_text()


def test_states_are_thinned_to_one_an_interval(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hourly = reported(path, capsys)
    assert hourly["facts"]["states shown"].startswith("144 of 144")  # type: ignore[index]
    six = reported(path, capsys, "--every", "6h")
    assert six["facts"]["states shown"].startswith("25 of 25")  # type: ignore[index]
    part = reported(path, capsys, "--to", "227")
    assert part["to"] == NOW + 127 * HOUR_S


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--vault", "0x" + "00" * 20), "nothing was decided for it"),
        (("--every", "soon"), "is no age"),
        (("--from", "900"), "holds 0 usable states"),
    ],
)
def test_what_cannot_be_shown_is_said(
    path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], words: str
) -> None:
    assert invoke(["report", "--journal", str(path), *options]) != 0
    assert words in capsys.readouterr().err


def test_a_vault_is_named_by_its_address_in_any_case(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reported(path, capsys, "--vault", VAULT.upper().replace("0X", "0x"))["trades"] == 0


def test_a_journal_too_young_for_figures_is_said_with_what_to_do(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["report", "--journal", str(path), "--to", "110"]) == 2
    said = capsys.readouterr().err
    assert "less than three days" in said
    assert "keeper journal list" in said
