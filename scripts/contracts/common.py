"""What every tool around the contracts needs: where things are, how a program is run, how a failure is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".venv" / "bin"
BUILD = ROOT / "build"


class ToolError(Exception):
    """A tool cannot do its work: why, and what to do."""

    def __init__(self, why: str, remedy: str = "") -> None:
        super().__init__(why)
        self.why, self.remedy = why, remedy


def program(name: str) -> str:
    """Path of a program of the virtual environment."""
    path = BIN / name
    if not path.exists():
        raise ToolError(f"{name} is not in .venv", "run `make setup`")
    return str(path)


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment with the virtual environment first on PATH and no colours."""
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "NO_COLOR": "1", **(extra or {})}


def run(
    command: Sequence[str],
    *,
    seconds: float,
    cwd: Path = ROOT,
    extra: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run to the end, output captured apart; a program that hangs or cannot start is a `ToolError`."""
    name = Path(command[0]).name
    try:
        return subprocess.run(
            list(command),
            cwd=cwd,
            env=environment(extra),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{name} did not end within {seconds:.0f} s") from error
    except OSError as error:
        raise ToolError(f"{name}: {error.strerror}", "run `make setup`") from error


def stream(
    command: Sequence[str], *, cwd: Path = ROOT, extra: Mapping[str, str] | None = None
) -> tuple[int, list[str]]:
    """Run, printing each line as it comes; exit code and lines."""
    lines: list[str] = []
    try:
        with subprocess.Popen(
            list(command),
            cwd=cwd,
            env=environment(extra),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            for line in process.stdout or ():
                print(line, end="", flush=True)
                lines.append(line.rstrip("\n"))
    except OSError as error:
        raise ToolError(f"{Path(command[0]).name}: {error.strerror}", "run `make setup`") from error
    return process.returncode, lines


def tail(text: str, lines: int = 15) -> str:
    """The last lines that say something, indented."""
    kept = [line for line in text.splitlines() if line.strip()]
    return "\n".join(f"  {line}" for line in kept[-lines:])


def read_json(path: Path, default: Any = None) -> Any:
    """A JSON file; `default` where there is none."""
    if not path.exists() and default is not None:
        return default
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise ToolError(f"{shown(path)}: {error.strerror}") from error
    except ValueError as error:
        raise ToolError(f"{shown(path)} is not JSON: {error}") from error


def write_json(path: Path, value: Any) -> None:
    """Written whole or not at all, with a closing newline."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    draft.replace(path)


def shown(path: Path) -> str:
    """Path relative to the project, for messages."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def say(text: str) -> None:
    """Progress, at once."""
    print(text, flush=True)


def closing(main: Callable[[], int]) -> int:
    """The exit code of a tool; a `ToolError` is told in two lines and is 2."""
    try:
        return main()
    except ToolError as error:
        print(f"error: {error.why}", file=sys.stderr)
        if error.remedy:
            print(f"to do: {error.remedy}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
