"""K-07: what was recorded is enough to make the same decision again, bit for bit; and a difference is found."""

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from keeper.cli.main import invoke
from keeper.cli.replay import Tally, differing, replay_one
from keeper.errors import ReplayError
from keeper.journal.query import Filter, decision_ids
from keeper.journal.store import open_journal
from keeper.model.decision import Lane, Refusal, Target, Verdict
from keeper.model.exposure import RiskInputs
from keeper.model.market import MarketState
from keeper.model.risk import RiskReport
from strategies.delta_band import DeltaBand
from tests.builders import NOW, make_market, make_readings
from tests.replay.ticks import POLICIES, MadeUp, keeper_of, tick


def replayed(path: Path) -> tuple[Tally, list[str]]:
    tally, fields = Tally(), []
    with open_journal(path, exclusive=False) as journal:
        for number in decision_ids(journal, Filter()):
            found = replay_one(journal, number, tally)
            tally.replayed += 1
            tally.identical += not found
            fields += [difference.field for difference in found]
    return tally, fields


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ticks=st.lists(
        st.tuples(
            st.floats(500, 6_000), st.floats(0, 400_000), st.booleans(), st.integers(0, NOW + 999)
        ),
        min_size=1,
        max_size=4,
    ),
    band=st.booleans(),
    modules=st.booleans(),
)
def test_every_tick_is_decided_again_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    ticks: list[tuple[float, float, bool, int]],
    band: bool,
    modules: bool,
) -> None:
    """Whatever the market, the executor, the modules and the journal's own past said to it."""
    path = tmp_path_factory.mktemp("replay") / "j.sqlite"
    world = MadeUp()
    strategy = DeltaBand(target_delta=0.1 + 0.2, band=1 / 3) if band else None
    with keeper_of(path, world, strategy=strategy, modules=modules) as keeper:
        for number, (price, idle, trouble, waits) in enumerate(ticks, 10):
            world.reverts, world.busy = trouble, waits % 3 == 0
            world.veto = "no" if trouble else ""
            world.waits_until = waits
            tick(keeper, world, make_readings(price=price, idle_asset=idle), number)
    tally, fields = replayed(path)
    assert fields == []
    assert tally.identical == tally.replayed == len(ticks)


def test_what_other_ends_said_is_part_of_the_decision(tmp_path: Path) -> None:
    """A cooldown known only to the executor comes out the same; had it said something else, so would the verdict."""
    path = tmp_path / "j.sqlite"
    world = MadeUp(waits_until=NOW + 77)
    with keeper_of(path, world, strategy=DeltaBand(band=0.5)) as keeper:
        tick(keeper, world, make_readings(), 10)
        record = keeper.last
    assert record is not None
    assert record.verdict is not None
    assert [r.rule for r in record.verdict.refusals] == ["cooldown"]
    assert replayed(path)[1] == []
    with open_journal(path) as journal, journal.database.writing() as db:
        db.execute(text("UPDATE decisions SET answers = replace(answers, :a, :b)"),
                   {"a": str(NOW + 77), "b": str(NOW + 5)})  # fmt: skip
    assert replayed(path)[1] == ["verdict.refusals[0].message"]


def test_what_recent_blocks_said_of_inclusion_is_part_of_the_decision(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    world = MadeUp(inclusion=7.0)
    policies = dataclasses.replace(POLICIES, risk=RiskInputs(volatility=0.8))
    with keeper_of(path, world, policies=policies) as keeper:
        tick(keeper, world, make_readings(), 10)
    assert replayed(path)[1] == []
    with open_journal(path) as journal, journal.database.writing() as db:
        db.execute(text("UPDATE decisions SET answers = replace(answers, '7.0', '3.0')"))
    assert "risk.collateral.low" in replayed(path)[1]


def test_a_row_from_before_there_were_outlooks_is_decided_again_the_same(tmp_path: Path) -> None:
    """What was not recorded was not known: the policy's forecast is not put in its place."""
    path = tmp_path / "j.sqlite"
    policies = dataclasses.replace(POLICIES, risk=RiskInputs(volatility=0.8))
    with keeper_of(path, MadeUp(), policies=policies) as keeper:
        tick(keeper, MadeUp(), make_readings(), 10)
    with open_journal(path) as journal, journal.database.writing() as db:
        row = json.loads(db.execute(text("SELECT market FROM readings")).scalar_one())
        assert row.pop("outlook")["volatility"] == 0.8
        assert row.pop("holdings") == []
        db.execute(text("UPDATE readings SET market = :m"), {"m": json.dumps(row)})
    assert replayed(path)[1] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ("UPDATE contexts SET parameters = replace(parameters, '\"target\":1.45', '\"target\":1.5')",
         "target.reason"),
        ("UPDATE plans SET \"plan\" = replace(\"plan\", '\"moves\":[]', '\"moves\":[]')", ""),
        ("UPDATE decisions SET risk = replace(risk, '\"leverage\":', '\"leverage\":1')",
         "risk.leverage"),
    ],
)  # fmt: skip
def test_a_recorded_value_that_was_changed_is_found(
    tmp_path: Path, change: str, field: str
) -> None:
    path, world = tmp_path / "j.sqlite", MadeUp()
    with keeper_of(path, world) as keeper:
        tick(keeper, world, make_readings(), 10)
    with open_journal(path) as journal, journal.database.writing() as db:
        db.execute(text(change.replace(":", "\\:")))
    fields = replayed(path)[1]
    assert (field in fields) if field else fields == []


class Unregistered:
    """A strategy nobody installed."""

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        return Target(Lane.ROUTINE, None, None, "mine")


def test_a_strategy_that_is_not_installed_is_never_imported_from_a_journal(tmp_path: Path) -> None:
    path, world = tmp_path / "j.sqlite", MadeUp()
    with keeper_of(path, world, strategy=Unregistered()) as keeper:
        tick(keeper, world, make_readings(), 10)
    with pytest.raises(ReplayError, match=r"test_replay:Unregistered is not installed"):
        replayed(path)
    with open_journal(path) as journal, journal.database.writing() as db:
        db.execute(text("UPDATE contexts SET strategy = 'os\\:system'"))
    with pytest.raises(ReplayError, match="os:system is not installed"):
        replayed(path)


def test_an_answer_that_is_missing_is_said(tmp_path: Path) -> None:
    path, world = tmp_path / "j.sqlite", MadeUp()
    with keeper_of(path, world, strategy=DeltaBand(band=0.5)) as keeper:
        tick(keeper, world, make_readings(), 10)
    with open_journal(path) as journal, journal.database.writing() as db:
        db.execute(text("UPDATE decisions SET answers = NULL"))
    with pytest.raises(ReplayError, match="was not recorded"):
        replayed(path)


def test_contexts_are_kept_once_and_follow_restarts(tmp_path: Path) -> None:
    path, world = tmp_path / "j.sqlite", MadeUp()
    for start, strategy in enumerate((None, None, DeltaBand())):
        with keeper_of(path, world, strategy=strategy) as keeper:
            for number in range(2):
                tick(keeper, world, make_readings(), 10 * start + number + 1)
    with open_journal(path) as journal, journal.database.reading() as db:
        assert db.execute(text("SELECT count(*) FROM contexts")).scalar() == 2
    tally, fields = replayed(path)
    assert (tally.identical, fields) == (6, [])


# The command


def test_the_command_counts_what_it_replayed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, world = tmp_path / "j.sqlite", MadeUp()
    with keeper_of(path, world) as keeper:
        for number in range(10, 15):
            tick(keeper, world, make_readings(price=2_000 - number), number)
    assert invoke(["replay", "--journal", str(path), "--from", "11", "--to", "13"]) == 0
    said = capsys.readouterr().out
    assert "3 replayed" in said
    assert "3 identical" in said
    assert "0 different" in said


def test_the_command_fails_on_a_difference_and_names_the_field(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, world = tmp_path / "j.sqlite", MadeUp()
    with keeper_of(path, world) as keeper:
        tick(keeper, world, make_readings(), 10)
        tick(keeper, world, make_readings(), 11)
    with open_journal(path) as journal, journal.database.writing() as db:
        db.execute(
            text(
                "UPDATE decisions SET target = replace(target, 'is under', 'is below') WHERE id = 2"
            )
        )
    assert invoke(["replay", "--journal", str(path)]) == 1
    said = capsys.readouterr().out
    assert "decision 2, block 11: target.reason" in said
    assert invoke(["replay", "--journal", str(path), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["replayed"], told["identical"], told["different"]) == (2, 1, 1)
    assert told["differences"][0]["field"].startswith("target.")


def test_a_row_that_is_broken_is_no_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, world = tmp_path / "j.sqlite", MadeUp()
    with keeper_of(path, world) as keeper:
        tick(keeper, world, make_readings(), 10)
        tick(keeper, world, make_readings(), 11)
    with open_journal(path) as journal, journal.database.writing() as db:
        db.execute(text("UPDATE decisions SET target = '{' WHERE id = 2"))
    assert invoke(["replay", "--journal", str(path)]) == 1
    said = capsys.readouterr().out
    assert "1 identical" in said
    assert "1 not replayed: a row cannot be understood" in said


def test_replaying_nothing_is_no_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "j.sqlite"
    open_journal(path).close()
    assert invoke(["replay", "--journal", str(path)]) == 1
    assert "0 replayed" in capsys.readouterr().out


def test_differences_are_found_however_deep() -> None:
    one = Verdict((Refusal("a", "b"), Refusal("c", "d")))
    other = Verdict((Refusal("a", "b"), Refusal("c", "x")))
    assert list(differing("v", one, other)) == [("v.refusals[1].message", "d", "x")]
    assert list(differing("v", one, one)) == []
    assert list(differing("v", 0.0, -0.0)) == [("v", 0.0, -0.0)]
    assert list(differing("v", float("nan"), float("nan"))) == []
    assert [name for name, *_ in differing("v", 1, 1.0)] == ["v"]


def test_readings_of_another_block_are_not_given_out() -> None:
    from keeper.cli.replay import Recorded
    from keeper.errors import ReadError

    readings = make_readings()
    other = dataclasses.replace(readings.block, number=readings.block.number + 1)
    with pytest.raises(ReadError):
        Recorded(make_market(readings)).read(other)
