"""A fall through the real contracts and through the backtest: equal decisions, exact books, nothing left behind."""

import json
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from keeper.cli.main import invoke
from keeper.replay_market import Replayed, ReplayOptions, Vault, Wanted, replay_market
from keeper.replay_market.books import UNEXPLAINED
from keeper.replay_market.page import page_of
from keeper.replay_market.summary import summary_of

ROOT = Path(__file__).resolve().parents[3]
GUARD = {"low": "1.3", "target": "1.5", "high": "2.0"}
SMALL_BPS = 1
"""Of opening NAV."""
_COMMAND = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
_COMMAND += "from keeper.cli.main import main; main()"

pytestmark = pytest.mark.chain


@pytest.fixture(scope="module")
def fallen(tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    """Bars of a fall of a third in ten hours: ramps, follow-up blocks, several protective plans."""
    folder = tmp_path_factory.mktemp("replay")
    rows = ["t,open,high,low,close"]
    prices = [2_000.0, 2_005, 1_990, 1_900, 1_750, 1_600, 1_450, 1_330, 1_340, 1_335, 1_400, 1_390]
    for hour, (first, last) in enumerate(pairwise(prices)):
        low, high = min(first, last), max(first, last)
        rows.append(f"{1_600_000_000 + 3_600 * hour},{first},{high},{low},{last}")
    file = folder / "fall.csv"
    file.write_text("\n".join(rows) + "\n")
    # without noise traders: the backtest has none, and a plan that a loss limit bounds shows them in its amounts
    vault = Vault("collateral_guard", GUARD, health=1.5, noise=False)
    return replay_market(ReplayOptions(Wanted(prices=file), vault, folder), root=ROOT)


def test_both_runs_decide_alike_and_act(fallen: Replayed) -> None:
    comparison = fallen.comparison
    assert comparison.equal == comparison.compared > 15
    assert comparison.acted_equal == comparison.acted >= 3
    assert comparison.one_sided == 0
    assert comparison.plans_equal_there == comparison.readings_equal > 0


def test_recorded_readings_decided_again_give_the_identical_plan(fallen: Replayed) -> None:
    """K-07"""
    assert fallen.again.identical == fallen.again.decided == fallen.comparison.compared
    journal = fallen.options.out / "journal.sqlite"
    assert invoke(["replay", "--journal", str(journal)]) == 0


def test_the_vaults_own_books_explain_every_unit_of_its_nav(fallen: Replayed) -> None:
    books = fallen.books
    assert UNEXPLAINED not in books.by_cause()
    change = books.steps[-1].nav - books.steps[0].nav
    assert sum(books.by_cause().values()) == change
    for block, step in zip(fallen.played.blocks, books.steps, strict=True):
        assert not block.readings.nav_valid or block.readings.nav == step.nav


def test_the_gap_is_small_and_its_parts_add_up_to_it(fallen: Replayed) -> None:
    gap, opening = fallen.gap, fallen.books.steps[0].nav
    assert gap.exact
    assert gap.parts["opening"] == 0
    assert abs(gap.whole) * 10_000 < SMALL_BPS * opening
    assert fallen.backtest.attribution.exact
    assert all(pair.matched for pair in fallen.pairs)


def test_the_keeper_protected_the_vault_in_both(fallen: Replayed) -> None:
    assert fallen.liquidations == len(fallen.backtest.liquidations) == 0
    assert 1 < (fallen.lowest_health or 0) < 1.3


def test_only_blocks_that_matter_were_made(fallen: Replayed) -> None:
    made = len(fallen.played.blocks)
    assert made < fallen.segment.span_s // 12 // 50
    assert made > len(fallen.segment.moments)  # what was sent had blocks to land in


def test_summary_and_page_say_all_of_it(fallen: Replayed) -> None:
    facts = json.loads(json.dumps(summary_of(fallen), allow_nan=False))
    assert sum(facts["gap"]["parts"].values()) == pytest.approx(facts["gap"]["whole"], abs=1e-6)
    assert len(facts["transactions"]) == len(fallen.pairs)
    page = page_of(fallen, "keeper replay-market")
    for words in ("execution gap", "Transactions", "<svg", "keeper replay-market", "basis"):
        assert words in page
    assert "http" not in page.split("<style>")[1]  # needs nothing from elsewhere


def _children(parent: int) -> set[int]:
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
def test_interrupted_it_ends_every_process_it_started(tmp_path: Path) -> None:
    done = subprocess.Popen(
        [sys.executable, "-c", _COMMAND, "replay-market", "--out", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 300  # a bound for a busy machine, not a wait
    while not (tmp_path / "journal.sqlite").exists() and time.monotonic() < end:
        time.sleep(0.1)
    nodes = _children(done.pid)
    done.send_signal(signal.SIGINT)
    _, said = done.communicate(timeout=120)
    assert done.returncode == 130
    assert "Traceback" not in said
    assert "keeper: stopped; nothing is left running" in said
    assert len(nodes) == 1
    end = time.monotonic() + 60
    while any(Path(f"/proc/{node}").exists() for node in nodes) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{node}").exists() for node in nodes)
