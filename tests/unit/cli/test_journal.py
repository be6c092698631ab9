"""keeper journal: lists that can be narrowed, and a receipt a person can read."""

import contextlib
import json
from pathlib import Path

import pytest

from keeper.cli.journal_options import age_s, point
from keeper.cli.main import invoke
from keeper.errors import SettingError
from keeper.journal.store import open_journal
from keeper.model.outcome import TickOutcome, TickStatus
from tests.builders import NOW, VAULT, make_readings
from tests.replay.ticks import MadeUp, keeper_of, tick
from tests.unit.journal.test_verify import signed
from tests.unit.journal.values import mined


@pytest.fixture
def path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Three ticks: held, one that sent and was mined, one that failed in simulation."""
    file, world = tmp_path / "j.sqlite", MadeUp()
    with keeper_of(file, world) as keeper:
        tick(keeper, world, make_readings(price=2_200), 10)
        tick(keeper, world, make_readings(price=2_000), 11)
        assert keeper.last is not None
        assert keeper.last.intent is not None
        attempt = signed(keeper.last.intent.id)
        keeper.journal.record_attempt(attempt)
        mined(keeper.journal, attempt, block=12)
        world.reverts = True
        tick(keeper, world, make_readings(price=1_950), 13)
    capsys.readouterr()  # the keeper's own log
    return file


def said(capsys: pytest.CaptureFixture[str], path: Path, *command: str) -> str:
    assert invoke(["journal", *command, "--journal", str(path)]) == 0
    return capsys.readouterr().out


def listed(
    capsys: pytest.CaptureFixture[str], path: Path, *command: str
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads(said(capsys, path, "list", *command, "--json"))
    return rows


def test_decisions_are_listed_newest_first(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = listed(capsys, path)
    assert [row["block_number"] for row in rows] == [13, 11, 10]
    assert [row["status"] for row in rows] == ["failed", "sent", "held"]


@pytest.mark.parametrize(
    ("narrowed", "blocks"),
    [
        (("--from", "11"), [13, 11]),
        (("--to", "11"), [11, 10]),
        (("--from", "11", "--to", "12"), [11]),
        (("--from", str(NOW + 1)), []),
        (("--to", "2023-11-14T22:13:20"), [13, 11, 10]),
        (("--to", "2023-11-14T22:13:19"), []),
        (("--vault", VAULT.upper().replace("0X", "0x")), [13, 11, 10]),
        (("--vault", "0x" + "00" * 20), []),
        (("--status", "failed"), [13]),
        (("--limit", "1"), [13]),
    ],
)
def test_a_list_is_narrowed(
    path: Path, capsys: pytest.CaptureFixture[str], narrowed: tuple[str, ...], blocks: list[int]
) -> None:
    assert [row["block_number"] for row in listed(capsys, path, *narrowed)] == blocks


def test_intents_and_attempts_are_listed_by_their_own_states(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [r["state"] for r in listed(capsys, path, "intents")] == ["journalled", "included"]
    assert len(listed(capsys, path, "intents", "--status", "included")) == 1
    (attempt,) = listed(capsys, path, "attempts", "--status", "mined")
    assert (attempt["block_number"], attempt["gas_used"]) == (12, 300)


def test_tables_are_for_people(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "held: health" in " ".join(said(capsys, path, "list").split())
    assert "included" in said(capsys, path, "list", "intents")
    assert "mined" in said(capsys, path, "list", "attempts")
    assert said(capsys, path, "list", "--status", "dry") == "no decisions there\n"


def test_the_last_column_of_a_table_can_be_read_or_is_not_there(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for what in ("intents", "attempts"):
        rows = said(capsys, path, "list", what).splitlines()
        head = next(line for line in rows if line.startswith("┃"))
        assert len(head.rstrip("┃").split("┃")[-1].strip()) > 1


def test_a_status_that_is_none_names_those_that_are(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["journal", "list", "--status", "mined", "--journal", str(path)]) == 2
    assert "use held, skipped" in capsys.readouterr().err


def test_a_receipt_tells_the_whole_story(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    receipt = said(capsys, path, "show", "2")
    for words in (
        "2 by CollateralGuard",
        "2,000.00 asset per base",
        "a fall of",
        "delta 1,500.0000 base",
        "act: health 1.2450 is under 1.25: bring it to 1.45",
        "withdraw",
        "verdict  passed",
        "included, included in block 12",
        "the contracts would take it",
        "mined in block 12, gas 300",
        "gas about",
        "cost real  gas",
        "outcome  sent",
    ):
        assert words in receipt, receipt


def test_a_receipt_shows_gas_data_fee_and_loss_in_their_own_units(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (attempt,) = listed(capsys, path, "attempts")
    intent, tx_hash = str(attempt["intent_id"]), str(attempt["tx_hash"])
    with contextlib.closing(open_journal(path)) as journal:
        journal.record_cost(intent, tx_hash, "data fee", 5 * 10**15)
        journal.record_cost(intent, tx_hash, "loss", 12_345_678, "asset units")
    receipt = said(capsys, path, "show", "2")
    assert "cost real  data fee 0.005000 ETH" in receipt
    assert "cost real  loss 12.35 asset" in receipt
    assert receipt.count("included: mined") == 1
    real = json.loads(said(capsys, path, "show", "2", "--json"))["costs"]["real"]
    assert [(c["kind"], c["in_asset"]) for c in real] == [
        ("gas", None), ("data fee", None), ("loss", "12.345678"),
    ]  # fmt: skip


def test_a_receipt_is_found_by_intent_and_by_transaction(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (attempt,) = listed(capsys, path, "attempts")
    by_number = said(capsys, path, "show", "2")
    intent, tx_hash = str(attempt["intent_id"]), str(attempt["tx_hash"])
    for name in (intent, intent[:12], tx_hash, tx_hash[:12].upper().replace("0X", "0x")):
        assert said(capsys, path, "show", name) == by_number


@pytest.mark.parametrize("name", ["99", "0xdead", "0x", "%", "____"])
def test_what_is_not_there_is_said(
    path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert invoke(["journal", "show", name, "--journal", str(path)]) == 2
    assert "is not in the journal" in capsys.readouterr().err


def test_a_failed_simulation_is_on_its_receipt(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    receipt = said(capsys, path, "show", "3")
    assert "simulation  simulation reverted: no" in receipt
    assert "transaction  none was signed" in receipt


def test_a_receipt_for_programs_has_exact_amounts(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.loads(said(capsys, path, "show", "2", "--json"))
    assert told["risk"]["nav"] == "1000000"
    assert told["risk"]["delta"] == "1500"
    assert told["costs"]["real_wei"] == str(300 * 2**70)
    assert [step["state"] for step in told["intent"]["history"]] == [
        "journalled", "simulated", "signed", "included",
    ]  # fmt: skip
    assert told["intent"]["attempts"][0]["status"] == "mined"


def test_a_refusal_is_on_its_receipt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from keeper.model.decision import Refusal
    from tests.unit.journal.values import decide

    path = tmp_path / "j.sqlite"
    with open_journal(path) as journal:
        decide(journal, sends=False, refusals=(Refusal("loss", "12 over 10"),))
        journal.record_outcome(TickOutcome(1, TickStatus.REFUSED, "loss: 12 over 10"))
    receipt = said(capsys, path, "show", "1")
    assert "refused  loss: 12 over 10" in receipt


def test_a_journal_that_is_not_there_is_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "none.sqlite"
    assert invoke(["journal", "list", "--journal", str(path)]) == 2
    assert "is no file" in capsys.readouterr().err
    assert not path.exists()


def test_after_a_dry_run_its_own_journal_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "keeper.toml"
    file.write_text(
        f'chain_id = 1\nrpc_url = "http://127.0.0.1:1"\nvault = "{VAULT}"\nlens = "{VAULT}"\n'
    )
    (tmp_path / "keeper-journal.dry.sqlite").touch()
    assert invoke(["journal", "list", "--config", str(file)]) == 2
    said = capsys.readouterr().err
    assert "setting journal.path" in said
    assert "--journal " + str(tmp_path / "keeper-journal.dry.sqlite") in said


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (None, (None, None)),
        ("17", (17, None)),
        ("1700000000", (None, 1_700_000_000)),
        ("2h", (None, 2_800)),
        ("1970-01-01T01:00", (None, 3_600)),
        ("1970-01-01T01:00+01:00", (None, 0)),
    ],
)
def test_points_are_blocks_or_times(
    given: str | None, found: tuple[int | None, int | None]
) -> None:
    assert point("--from", given, 10_000) == found


@pytest.mark.parametrize("given", ["", "-1", "1y", "90 days", "99999999d", "tomorrow"])
def test_what_is_no_age_is_refused(given: str) -> None:
    with pytest.raises(SettingError):
        age_s("--older-than", given)
