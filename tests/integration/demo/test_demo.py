"""The demo end to end on its own local mainnet: honest numbers, whole files, nothing left behind."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keeper.demo import DemoOptions, run_demo
from keeper.demo import run as run_module
from keeper.errors import LocalnetError

ROOT = Path(__file__).resolve().parents[3]
MINUTES = 12
"""Of the made history: some sixty blocks of 12 s."""
_COMMAND = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
_COMMAND += "from keeper.cli.main import main; main()"
"""As a terminal starts it: a shell's background job would have the interrupt switched off."""

pytestmark = pytest.mark.chain


def _crash(folder: Path) -> Path:
    """Two calm minutes, then a fall of 18 % in eight, then two calm ones."""
    rows = ["t,close"]
    for minute in range(MINUTES + 1):
        fallen = min(8, max(0, minute - 2))
        rows.append(f"{1_600_000_000 + 60 * minute},{2_000 * (1 - 0.18 * fallen / 8):.2f}")
    file = folder / "crash.csv"
    file.write_text("\n".join(rows) + "\n")
    return file


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo")
    summary = run_demo(DemoOptions(prices=_crash(out), out=out, quiet=True), root=ROOT)
    assert summary.blocks == MINUTES * 5 + 1
    return out


def test_the_twin_left_alone_is_liquidated_and_the_kept_one_is_not(crashed: Path) -> None:
    summary = json.loads((crashed / "summary.json").read_text())
    kept, alone = summary["protected"], summary["unprotected"]
    assert kept["liquidations"] == 0
    assert alone["liquidations"] >= 1
    assert kept["min_health"] > 1 > alone["min_health"]
    assert kept["nav_end"] > alone["nav_end"] > 0


def test_both_start_equal(crashed: Path) -> None:
    summary = json.loads((crashed / "summary.json").read_text())
    kept, alone = summary["protected"]["nav_start"], summary["unprotected"]["nav_start"]
    assert abs(kept - alone) <= kept // 10_000


def test_keeper_transactions_are_those_of_its_own_journal(crashed: Path) -> None:
    """Counted from receipts, and every one of them was decided and journalled before."""
    summary = json.loads((crashed / "summary.json").read_text())
    with sqlite3.connect(crashed / "journal.sqlite") as journal:
        (settled,) = journal.execute(
            "SELECT COUNT(*) FROM attempts WHERE status IN ('mined', 'reverted')"
        ).fetchone()
        (decided,) = journal.execute(
            "SELECT COUNT(*) FROM decisions WHERE intent_id IS NOT NULL"
        ).fetchone()
    journal.close()
    assert summary["protected"]["keeper_txs"] > 0
    assert 0 <= summary["protected"]["keeper_txs"] - settled <= 1  # the last one may end unread
    assert decided >= settled
    assert summary["unprotected"]["keeper_txs"] == 0


def test_report_and_chart_are_there_and_say_what_happened(crashed: Path) -> None:
    page = (crashed / "report.html").read_text()
    assert "With the keeper, never." in page
    assert page.count("<svg ") == 4
    assert (crashed / "chart.png").read_bytes().startswith(b"\x89PNG")


def test_a_demo_out_of_time_says_so_and_keeps_the_earlier_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "summary.json").write_text("{}")
    monkeypatch.setattr(run_module, "WALL_LIMIT_S", 0.0)
    with pytest.raises(LocalnetError, match="blocks were done"):
        run_demo(DemoOptions(prices=_crash(tmp_path), out=tmp_path, quiet=True), root=ROOT)
    assert (tmp_path / "summary.json").read_text() == "{}"


def _children(parent: int) -> set[int]:
    """Processes that `parent` started, from /proc."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        if int(fields[1]) == parent:
            found.add(int(stat.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see processes")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -15)])
def test_interrupted_it_ends_every_process_it_started(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    done = subprocess.Popen(
        [sys.executable, "-c", _COMMAND, "demo", "--quiet", "--out", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 300  # a bound for a busy machine, not a wait
    while not (tmp_path / "journal.sqlite").exists() and time.monotonic() < end:
        time.sleep(0.1)
    nodes = _children(done.pid)
    done.send_signal(number)
    _, said = done.communicate(timeout=120)
    assert done.returncode == code
    assert "Traceback" not in said
    if code > 0:
        assert said == "keeper: stopped; no result written, an earlier one is kept\n"
    assert len(nodes) == 2
    end = time.monotonic() + 60
    while any(Path(f"/proc/{node}").exists() for node in nodes) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{node}").exists() for node in nodes)
    assert not (tmp_path / "summary.json").exists()


def test_the_command_says_how_it_ended_in_lines_that_suit_a_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _COMMAND, "demo"]
    options = ["--scenario", "calm", "--block-seconds", "120", "--out", str(tmp_path)]
    done = subprocess.run(
        [*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert "100 %" in done.stdout
    assert "Neither vault was liquidated." in done.stdout
