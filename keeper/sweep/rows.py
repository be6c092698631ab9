"""What a sweep leaves: a line for each run as it ends, then one table in the order of the points.

The lines are what a later sweep resumes from; a line that was cut off by a crash is passed over. The table has nothing
of who made a row and when, so two sweeps of the same runs write the same bytes.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from keeper.errors import SettingError
from keeper.sweep.job import Job
from keeper.sweep.work import Figures

LINES, TABLE, SUMMARY = "rows.jsonl", "rows.parquet", "summary.json"
_OPTION = "--out"


class Lines:
    """The file of lines; each is on the disk before the next run is told of."""

    def __init__(self, folder: Path) -> None:
        """SettingError if the folder cannot be written."""
        self._file: TextIO | None = None
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.known = _known(folder / LINES)
            self._file = (folder / LINES).open("a", encoding="utf-8")
        except OSError as error:
            raise _unwritable(folder, error) from None

    def __enter__(self) -> "Lines":
        """Opened already."""
        return self

    def __exit__(self, *_: object) -> None:
        """The file is closed."""
        if self._file is not None:
            self._file.close()

    def add(self, key: str, figures: Figures) -> None:
        """One run."""
        self.known[key] = figures
        if self._file is None:
            return
        try:
            self._file.write(json.dumps({"key": key, "figures": figures}) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise _unwritable(self._folder, error) from None

    def done(self, key: str) -> bool:
        """Whether a run need not be made again: it came to an end, be it an error of its own."""
        figures = self.known.get(key)
        return figures is not None and not figures.get("lost")


def _known(path: Path) -> dict[str, Figures]:
    if not path.exists():
        return {}
    text = path.read_text(encoding="utf-8")
    if text and not text.endswith("\n"):
        with path.open("a", encoding="utf-8") as file:
            file.write("\n")  # what is cut off must not swallow the next line
    found: dict[str, Figures] = {}
    for line in text.splitlines():
        try:
            row = json.loads(line)
            figures = dict(row["figures"])
            if isinstance(figures["error"], str):
                found[str(row["key"])] = figures
        except (ValueError, KeyError, TypeError):
            continue
    return found


def table(jobs: Sequence[Job], known: Mapping[str, Figures]) -> dict[str, list[Any]]:
    """Columns of the runs that are done, in the order of the jobs: point, part, key, figures, error."""
    rows = [(job, known[job.key]) for job in jobs if job.key in known]
    names = list(dict.fromkeys(name for job in jobs for name, _ in job.point))
    columns: dict[str, list[Any]] = {
        name: numbers_or_text([dict(job.point)[name] for job, _ in rows]) for name in names
    }
    columns["part"] = [job.part for job, _ in rows]
    columns["key"] = [job.key for job, _ in rows]
    figured = dict.fromkeys(name for _, figures in rows for name in figures)
    for name in (n for n in figured if n not in ("error", "lost")):
        columns[_free(name, names)] = [figures.get(name) for _, figures in rows]
    columns["error"] = [figures["error"] for _, figures in rows]
    return columns


def _free(name: str, taken: Sequence[str]) -> str:
    """A parameter may be called as a figure is."""
    return f"result.{name}" if name in taken else name


def numbers_or_text(values: Sequence[str]) -> list[Any]:
    """Numbers if all of them are; whole ones stay whole while 64 bits hold them."""
    try:
        whole = [int(value) for value in values]
        return whole if all(abs(value) < 2**63 for value in whole) else list(values)
    except ValueError:
        pass
    try:
        return [float(value) for value in values]
    except ValueError:
        return list(values)


def write_table(folder: Path, columns: Mapping[str, list[Any]], summary: object) -> None:
    """`rows.parquet` and `summary.json`, each in one piece. SettingError if they cannot be written."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        unfinished = folder / f".{TABLE}"
        pq.write_table(pa.table(dict(columns)), unfinished)
        unfinished.replace(folder / TABLE)
        unfinished = folder / f".{SUMMARY}"
        unfinished.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
        unfinished.replace(folder / SUMMARY)
    except OSError as error:
        raise _unwritable(folder, error) from None


def _unwritable(folder: Path, error: OSError) -> SettingError:
    problem = f"{folder} cannot be written: {error.strerror or error}"
    return SettingError(_OPTION, problem, "choose another folder")
