"""Files of a demo: old ones go first, new ones appear whole or not at all."""

import os
import tempfile
from pathlib import Path

from keeper.errors import SettingError
from keeper.report.charts import png_chart
from keeper.report.page import render_page
from keeper.report.story import Story
from keeper.report.summary import Summary

SUMMARY, REPORT, CHART = "summary.json", "report.html", "chart.png"


def clear(out: Path) -> None:
    """Make the folder; remove what an earlier demo left, so that a failure leaves no old success."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in (SUMMARY, REPORT, CHART):
            (out / name).unlink(missing_ok=True)
    except OSError as error:
        problem = f"{out} cannot be written ({error.strerror})"
        raise SettingError("--out", problem, "name a folder that can be written") from None


def write(out: Path, story: Story, summary: Summary) -> tuple[str, ...]:
    """Report and chart, then the summary; returns their paths as text."""
    _write(out / REPORT, render_page(story, summary).encode())
    _write(out / CHART, png_chart(story))
    _write(out / SUMMARY, summary.to_json().encode())
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
