"""Modules beside the loop: real processes that hang, die or are killed delay and stop nothing but routine plans."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from keeper.model.exposure import RiskInputs
from keeper.model.policy import ModulePolicy
from keeper.model.risk_report import Standing
from keeper.ops.risk_modules import HostLimits, LiveModules, ModuleSpec
from keeper.risk import deep, module_refusals
from tests.builders import make_market

MARKET = make_market()
PATIENT = HostLimits(time_s=30.0, start_s=60.0, memory_mb=4_096)


@contextmanager
def modules(*names: str, limits: HostLimits = PATIENT) -> Iterator[LiveModules]:
    specs = tuple(ModuleSpec(n, f"tests.unit.ops.risk_modules.bad_modules:{n}") for n in names)
    made = LiveModules(specs, RiskInputs(volatility=0.8), limits)
    try:
        made.start(MARKET)
        yield made
    finally:
        made.close()


def test_modules_judge_the_full_report_of_the_state() -> None:
    with modules("good", "vetoes") as asked:
        good, vetoes = asked.ask(MARKET)
    assert [m.name for m in good.measures] == ["nav", "block"]
    assert good.measures[0].value == pytest.approx(1e6)
    (refusal,) = module_refusals((good, vetoes), ModulePolicy())
    assert (refusal.rule, refusal.message) == ("risk module vetoes", "the moon is full")


def test_a_module_killed_from_outside_is_told_of_and_comes_back() -> None:
    with modules("good") as asked:
        assert asked.ask(MARKET)[0].standing is Standing.OK
        process = asked._host._workers[0].process
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        (gone,) = asked.ask(MARKET)
        assert (gone.standing, gone.problem) == (Standing.UNKNOWN, "ended without an answer")
        assert module_refusals((gone,), ModulePolicy())
        assert not module_refusals((gone,), ModulePolicy(silence_refuses=False))
        assert asked.ask(MARKET)[0].standing is Standing.OK


def test_a_module_that_hangs_is_killed_and_begins_anew_before_it_is_asked_again() -> None:
    with modules("hangs", limits=HostLimits(time_s=0.2, start_s=60.0, most_faults=9)) as asked:
        worker = asked._host._workers[0]
        end = time.monotonic() + 60
        before = worker.process
        while "no answer within" not in asked.ask(MARKET)[0].problem:
            before = worker.process
            assert time.monotonic() < end
        assert before is not None
        assert before.poll() == -signal.SIGKILL
        assert worker.process is not None
        assert worker.process.pid != before.pid


def test_a_report_that_cannot_be_made_is_a_problem_of_every_module(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: Any) -> None:
        raise ZeroDivisionError("deep inside")

    with modules("good", "vetoes") as asked:
        monkeypatch.setattr(deep, "assess_deep", fails)
        results = asked.ask(MARKET)
    assert [r.module for r in results] == ["good", "vetoes"]
    for result in results:
        assert result.standing is Standing.UNKNOWN
        assert "ZeroDivisionError: deep inside" in result.problem


def test_closing_ends_every_process() -> None:
    with modules("good", "hangs") as asked:
        pids = [w.process.pid for w in asked._host._workers if w.process]
    assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
