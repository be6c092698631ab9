"""Files of a demo: a new result takes the place of an old one at the end, each file whole."""

import os
import tempfile
from pathlib import Path

from keeper.errors import SettingError
from keeper.report.charts import png_chart
from keeper.report.page import render_page
from keeper.report.story import Story
from keeper.report.summary import Summary

SUMMARY, REPORT, CHART = "summary.json", "report.html", "chart.png"


def prepare(out: Path) -> None:
    """Make the folder. What an earlier demo left stays until a new result takes its place."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass  # that it can be written is known before the work and not after it
    except OSError as error:
        problem = f"{out} cannot be written ({error.strerror})"
        raise SettingError("--out", problem, "name a folder that can be written") from None


def write(out: Path, story: Story, summary: Summary) -> tuple[str, ...]:
    """Report and chart, then the summary; returns their paths as text."""
    made = (
        (REPORT, render_page(story, summary).encode()),
        (CHART, png_chart(story)),
        (SUMMARY, summary.to_json().encode()),
    )
    for name, content in made:  # all is made before the first is replaced
        _write(out / name, content)
    return tuple(str(out / name) for name in (SUMMARY, REPORT, CHART))


def _write(path: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)
        os.chmod(name, 0o644)  # noqa: PTH101 - a report is for everybody; mkstemp makes it private
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
