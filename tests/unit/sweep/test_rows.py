"""Rows on disk: what is known is not run again, a torn line is passed over, numbers stay numbers."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.errors import SettingError
from keeper.sweep.job import make_job
from keeper.sweep.rows import LINES, Lines, numbers_or_text, table
from keeper.sweep.work import Figures
from tests.unit.sweep.jobs import variation, write_bars


def test_what_was_added_is_known_later(tmp_path: Path) -> None:
    figures = {"error": "", "sharpe": 0.1 + 0.2, "swaps": 3, "calmar": None}
    with Lines(tmp_path) as lines:
        lines.add("a", figures)
    with Lines(tmp_path) as lines:
        assert lines.known == {"a": figures}
        assert lines.done("a")
        assert not lines.done("b")


def test_a_lost_run_is_run_again_and_a_failed_one_is_not(tmp_path: Path) -> None:
    with Lines(tmp_path) as lines:
        lines.add("lost", {"error": "killed", "lost": True})
        lines.add("failed", {"error": "low is over high"})
        assert not lines.done("lost")
        assert lines.done("failed")


@given(st.integers(0, 200))
def test_a_line_that_was_cut_off_costs_that_line_only(cut: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Lines(folder) as lines:
            lines.add("a", {"error": ""})
            whole = (folder / LINES).stat().st_size
            lines.add("b", {"error": "", "words": "x" * 120})
        text = (folder / LINES).read_text()
        (folder / LINES).write_text(text[: min(whole + cut, len(text) - 2)])
        with Lines(folder) as lines:
            lines.add("c", {"error": ""})
        with Lines(folder) as lines:
            assert set(lines.known) == {"a", "c"}


def test_a_line_without_figures_of_a_run_is_passed_over(tmp_path: Path) -> None:
    with Lines(tmp_path) as lines:
        lines.add("good", {"error": ""})
    with (tmp_path / LINES).open("a") as file:
        file.write('{"key": "none", "figures": {}}\n{"key": "odd", "figures": {"error": null}}\n')
    with Lines(tmp_path) as lines:
        assert set(lines.known) == {"good"}


def test_a_folder_that_cannot_be_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingError, match="cannot be written"):
        Lines(tmp_path / "file" / "out")


def test_values_become_numbers_where_all_are() -> None:
    assert numbers_or_text(["1", "20"]) == [1, 20]
    assert numbers_or_text(["1", "2.5"]) == [1.0, 2.5]
    assert numbers_or_text(["1", "x"]) == ["1", "x"]
    assert numbers_or_text([str(10**30)]) == [str(10**30)]


def test_the_table_is_in_the_order_of_the_points_and_renames_what_collides(tmp_path: Path) -> None:
    common = variation(write_bars(tmp_path / "bars.csv"))
    jobs = [make_job(common, (("gas", gas),), (None, None)) for gas in ("2", "1", "3")]
    known: dict[str, Figures] = {
        jobs[1].key: {"error": "", "gas": 7.0},
        jobs[0].key: {"error": "no"},
    }
    assert table(jobs, known) == {
        "gas": [2, 1],
        "part": [0, 0],
        "key": [jobs[0].key, jobs[1].key],
        "result.gas": [None, 7.0],
        "error": ["no", ""],
    }
