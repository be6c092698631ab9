"""Third-party modules of every kind of conduct; each is named by a test."""

import os
import sys
import time

from keeper.model.market import MarketState
from keeper.model.risk_report import FullReport, Measure, ModuleAnswer


def good(market: MarketState, report: FullReport) -> ModuleAnswer:
    """Measures leverage, and prints, which must not spoil its answer."""
    print("chatter")
    nav = report.nav or 0.0
    return ModuleAnswer(
        (Measure("nav", nav, "asset"), Measure("block", market.readings.block.number, ""))
    )


def vetoes(_market: MarketState, _report: FullReport) -> ModuleAnswer:
    return ModuleAnswer(veto="the moon is full")


def hangs(_market: MarketState, _report: FullReport) -> ModuleAnswer:
    time.sleep(3_600)
    return ModuleAnswer()


def raises(_market: MarketState, _report: FullReport) -> ModuleAnswer:
    raise RuntimeError("broken inside")


def dies(_market: MarketState, _report: FullReport) -> ModuleAnswer:
    os._exit(3)


def exits(_market: MarketState, _report: FullReport) -> ModuleAnswer:
    sys.exit(0)


def nonsense(_market: MarketState, _report: FullReport) -> ModuleAnswer:
    return 42  # type: ignore[return-value]


def not_finite(_market: MarketState, _report: FullReport) -> ModuleAnswer:
    return ModuleAnswer((Measure("x", float("nan"), ""),))


def beyond_floats(_market: MarketState, _report: FullReport) -> ModuleAnswer:
    return ModuleAnswer((Measure("x", 10**400, ""),))


def endless(_market: MarketState, _report: FullReport) -> ModuleAnswer:
    return ModuleAnswer((Measure("x" * 10**6, 1.0, ""),))


def greedy(_market: MarketState, _report: FullReport) -> ModuleAnswer:
    return ModuleAnswer((Measure("bytes", float(len(bytearray(2**34))), ""),))


def spies(_market: MarketState, _report: FullReport) -> ModuleAnswer:
    return ModuleAnswer((Measure("seen", float("GIMBAL_SECRET" in os.environ), ""),))


def floods(_market: MarketState, _report: FullReport) -> ModuleAnswer:
    """Writes past the protocol, wherever it can find the pipe."""
    for descriptor in range(3, 64):
        try:
            for _ in range(100):
                os.write(descriptor, b"x" * 65_536)
        except OSError:
            continue
    return ModuleAnswer()


not_callable = 7
