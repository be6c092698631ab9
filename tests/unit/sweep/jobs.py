"""Small sweeps, and work that goes wrong, in a module that worker processes can import."""

import os
import signal
from pathlib import Path

from keeper.backtest.files import Files
from keeper.backtest.settings import Opening
from keeper.sweep import Job, Variation
from keeper.sweep.work import Figures

HOURS = 60
DEADLY = "1.33"


def write_bars(path: Path, hours: int = HOURS) -> Path:
    """A fall with rebounds, by the hour."""
    rows, price = [], 2_000.0
    for i in range(hours):
        close = price * (1.012 if i % 3 == 0 else 0.988)
        high, low = max(price, close) + 1, min(price, close) - 1
        rows.append(f"{1_600_000_400 + i * 3_600},{price:.2f},{high:.2f},{low:.2f},{close:.2f},3\n")
        price = close
    path.write_text("t,open,high,low,close,volume\n" + "".join(rows))
    return path


def variation(bars: Path, strategy: str = "collateral_guard") -> Variation:
    """A levered vault on those bars."""
    return Variation(strategy, Files(price=bars), opening=Opening(health=1.5))


def echo(job: Job) -> Figures:
    """Nothing but the point, so that a test of who runs what is quick."""
    return {"error": "", "engine": "echo", "low": dict(job.point)["low"]}


def deadly(job: Job) -> Figures:
    """As `echo`, but one point kills its process as the system kills what takes too much memory."""
    if dict(job.point)["low"] == DEADLY:
        os.kill(os.getpid(), signal.SIGKILL)
    return echo(job)
