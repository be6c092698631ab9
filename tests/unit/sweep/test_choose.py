"""Best and worst, and walk-forward: the choice never sees the part it is reported on."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.errors import SettingError
from keeper.sweep.choose import check_ratio, ranked, walk_forward
from keeper.sweep.job import Job
from tests.unit.sweep.jobs import variation

COMMON = variation(Path("bars.csv"))
FIGURE = st.one_of(st.none(), st.floats(-5, 5))


def job(low: int, part: int) -> Job:
    return Job(COMMON, (("low", str(low)),), (part, part + 1), part, f"{low}/{part}", "", ())


def sweep(values: list[list[float | None]]) -> tuple[list[Job], dict[str, dict[str, object]]]:
    """values[part][point]"""
    jobs = [job(low, part) for part, row in enumerate(values) for low in range(len(row))]
    known: dict[str, dict[str, object]] = {
        f"{low}/{part}": {"error": "" if value is not None else "none", "sharpe": value}
        for part, row in enumerate(values)
        for low, value in enumerate(row)
    }
    return jobs, known


def test_more_is_better_and_of_costs_less() -> None:
    jobs = [job(low, 0) for low in range(3)]
    values = zip(jobs, (2, 3, 1), strict=True)
    known = {one.key: {"error": "", "sharpe": v, "gas": v} for one, v in values}
    assert [j.point[0][1] for j, _ in ranked(jobs, known, "sharpe")] == ["1", "0", "2"]
    assert [j.point[0][1] for j, _ in ranked(jobs, known, "gas")] == ["2", "0", "1"]
    with pytest.raises(SettingError, match="no ratio 'sharp'"):
        check_ratio("sharp")


@given(st.lists(st.lists(FIGURE, min_size=3, max_size=3), min_size=2, max_size=5))
def test_the_choice_depends_on_nothing_later(values: list[list[float | None]]) -> None:
    def first(of: list[list[float | None]]) -> list[object]:
        folds = walk_forward(*sweep(of), "sharpe")
        return [fold.point for fold in folds if fold.chosen_on == (0, 1)]

    worse: list[float | None] = [-1.0, -2.0, -3.0]
    assert first([values[0], *(worse for _ in values[1:])]) == first(values)


@given(st.lists(st.lists(FIGURE, min_size=3, max_size=3), min_size=2, max_size=5))
def test_each_fold_reports_its_choice_on_the_next_part(values: list[list[float | None]]) -> None:
    for fold in walk_forward(*sweep(values), "sharpe"):
        part, low = fold.chosen_on[0], int(fold.point[0][1])
        assert part is not None
        assert fold.reported_on == (part + 1, part + 2)
        assert fold.in_sample == max(v for v in values[part] if v is not None)
        assert fold.in_sample == values[part][low]
        assert fold.out_of_sample == values[part + 1][low]
