"""What may be asked of a demo, and the clear refusal of what may not."""

from pathlib import Path

import pytest

from keeper.demo.options import DemoOptions, command_of, plan_course, scenario_names
from keeper.errors import PriceFileError, SettingError


def _hourly(path: Path, hours: int, crash_at: int) -> Path:
    rows = ["t,close"]
    rows += [f"{1_600_000_000 + 3600 * i},{2000 if i < crash_at else 1500}" for i in range(hours)]
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize("name", scenario_names())
def test_every_scenario_starts_with_the_default_health_and_ends_in_time(name: str) -> None:
    course = plan_course(DemoOptions(scenario=name))
    assert course.start.health == 1.5
    assert len(course.path) <= 620


def test_a_file_without_a_window_says_which_part_is_shown(tmp_path: Path) -> None:
    file = _hourly(tmp_path / "p.csv", 500, 300)
    course = plan_course(DemoOptions(prices=file))
    assert len(course.remarks) == 1
    assert "24 hours around the greatest fall" in course.remarks[0]
    assert course.path.market_price.min() < 1600
    assert 1.04 < course.start.health < 1.8


def test_a_file_with_a_window_is_taken_at_its_word(tmp_path: Path) -> None:
    file = _hourly(tmp_path / "p.csv", 500, 300)
    begin = 1_600_000_000 + 3600 * 10
    course = plan_course(DemoOptions(prices=file, from_=str(begin), to=str(begin + 36_000)))
    assert course.remarks == ()
    assert course.path.start_time == begin
    assert course.path.duration_s == 36_000


def test_block_seconds_are_kept_when_given(tmp_path: Path) -> None:
    file = _hourly(tmp_path / "p.csv", 20, 10)
    course = plan_course(DemoOptions(prices=file, block_seconds=300))
    assert set((course.path.times[1:] - course.path.times[:-1]).tolist()) == {300}


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (DemoOptions(scenario="doom"), "scenario"),
        (DemoOptions(start_health="high"), "--start-health"),
        (DemoOptions(start_health="1.0"), "--start-health"),
        (DemoOptions(start_health="nan"), "--start-health"),
        (DemoOptions(from_="2020-03-12"), "--from"),
        (DemoOptions(to="2020-03-12"), "--to"),
        (DemoOptions(block_seconds=1), "--block-seconds"),
    ],
)
def test_refuses_with_the_field_named(options: DemoOptions, field: str) -> None:
    with pytest.raises(SettingError) as refusal:
        plan_course(options)
    assert refusal.value.field == field


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PriceFileError, match=r"nowhere\.csv"):
        plan_course(DemoOptions(prices=tmp_path / "nowhere.csv"))


def test_the_command_shows_the_same_run_again() -> None:
    assert command_of(DemoOptions(scenario="gap", seed=3), 1.5) == (
        "keeper demo --scenario gap --seed 3"
    )
    asked = DemoOptions(
        prices=Path("p.csv"),
        from_="2020-03-12",
        to="2020-03-13",
        interpolation="linear",
        block_seconds=60,
        start_health="1.2",
    )
    assert command_of(asked, 1.2) == (
        "keeper demo --prices p.csv --from 2020-03-12 --to 2020-03-13 --interpolation linear "
        "--seed 1 --block-seconds 60 --start-health 1.2"
    )


def test_a_scenario_and_a_file_together_are_refused(tmp_path: Path) -> None:
    file = _hourly(tmp_path / "p.csv", 30, 20)
    with pytest.raises(SettingError, match="not both"):
        plan_course(DemoOptions(scenario="gap", prices=file))
