"""The processes that compete, what each is given, and what each costs the machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from scripts.bench.latency.turns import Task

ROOT = Path(__file__).resolve().parents[3]
PEERS = ROOT / "build" / "bench-latency-env"
_READY_S = 120.0
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """Of a process and its children: resident memory, and processor time since it started."""

    memory_mib: float
    processor_s: float


@dataclass
class Contender:
    """A running process."""

    name: str
    account: str
    turn: int
    process: subprocess.Popen[str]

    def usage(self) -> Usage:
        """What it takes now."""
        memory = processor = 0.0
        for pid in _family(self.process.pid):
            try:
                status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
                stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
            except OSError:
                continue
            resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
            memory += int(resident.split()[1]) / 1024
            fields = stat.split()
            processor += (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND
        return Usage(memory, processor)


def _family(pid: int) -> list[int]:
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text(encoding="ascii").split():
            found += _family(int(child))
    return found


def module(name: str) -> list[str]:
    """Command of a contender in our own environment."""
    return [sys.executable, "-m", f"scripts.bench.latency.{name}"]


def silverback(folder: Path, http_url: str) -> list[str]:
    """Command of silverback in its own environment; its settings go into `folder`."""
    mnemonic = "test test test test test test test test test test test junk"
    (folder / "ape-config.yaml").write_text(
        f"node:\n  ethereum:\n    mainnet:\n      uri: {http_url}\ntest:\n  mnemonic: {mnemonic}\n",
        encoding="utf-8",
    )
    (folder / "bot.py").write_bytes((Path(__file__).with_name("bot.py")).read_bytes())
    return [str(PEERS / "bin" / "silverback"), "run", "bot", "--network", "ethereum:mainnet:node"]


@contextmanager
def started(
    name: str, command: list[str], task: Task, *, account: str, folder: Path
) -> Iterator[Contender]:
    """A contender that is ready: it said so, or, where it is not ours, it wrote its first lines."""
    env = {
        **os.environ,
        "GIMBAL_BENCH_TASK": json.dumps(asdict(task)),
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "PYTHONUNBUFFERED": "1",
        "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", str(ROOT / "build" / "numba")),
    }
    with ExitStack() as stack:
        log = stack.enter_context((folder / f"{name}.log").open("w+", encoding="utf-8"))
        process = subprocess.Popen(
            command, cwd=folder, env=env, stdout=log, stderr=subprocess.STDOUT, text=True
        )
        stack.callback(_end, process)
        _await_ready(name, process, Path(log.name))
        yield Contender(name, account, task.turn, process)


def _await_ready(name: str, process: subprocess.Popen[str], log: Path) -> None:
    signs = ("ready", "Started")
    end = time.monotonic() + _READY_S
    while time.monotonic() < end:
        text = log.read_text(encoding="utf-8")
        if process.poll() is not None:
            raise SystemExit(f"{name} ended at its start:\n{text[-2000:]}")
        if any(sign in text for sign in signs):
            return
        time.sleep(0.1)
    raise SystemExit(f"{name} was not ready in {_READY_S:.0f} s:\n{text[-2000:]}")


def _end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
