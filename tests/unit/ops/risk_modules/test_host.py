"""Foreign modules cannot stop, delay or deceive the keeper: each is killed, told of, and rested."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from keeper.model.risk_report import FullReport, Measure, ModuleAnswer, ModuleResult, Standing
from keeper.ops.risk_modules import HostLimits, ModuleHost, ModuleSpec, installed
from keeper.ops.risk_modules.answer import BadAnswerError, decode_answer, encode_answer
from keeper.risk.deep import assess_deep
from tests.builders import make_market
from tests.unit.risk.books import inputs

MARKET = make_market()
PATIENT = HostLimits(time_s=30.0, start_s=60.0, most_faults=2, rest=1, memory_mb=4_096)


@pytest.fixture(scope="module")
def report() -> FullReport:
    return assess_deep(MARKET, inputs())


def spec(name: str) -> ModuleSpec:
    return ModuleSpec(name, f"tests.unit.ops.risk_modules.bad_modules:{name}")


@contextmanager
def hosting(*names: str, limits: HostLimits = PATIENT) -> Iterator[ModuleHost]:
    host = ModuleHost(tuple(spec(n) for n in names), limits)
    try:
        yield host
    finally:
        host.close()


def asked(report: FullReport, *names: str) -> dict[str, ModuleResult]:
    with hosting(*names) as host:
        return {r.module: r for r in host.ask(MARKET, report)}


def test_good_modules_measure_and_veto(report: FullReport) -> None:
    found = asked(report, "good", "vetoes")
    assert found["good"].measures == (Measure("nav", 1e6, "asset"), Measure("block", 100.0, ""))
    assert found["good"].standing is Standing.OK
    assert (found["vetoes"].veto, found["vetoes"].standing) == ("the moon is full", Standing.BREACH)


def test_what_a_module_does_wrong_is_its_own_result(
    report: FullReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIMBAL_SECRET", "hunter2")
    faults = {
        "raises": "RuntimeError: broken inside",
        "dies": "ended without an answer",
        "exits": "SystemExit",
        "nonsense": "returned int, not a ModuleAnswer",
        "not_finite": "the value nan",
        "beyond_floats": "a value beyond all measure",
        "endless": "more than 65536 bytes",
        "floods": "",
        "not_callable": "TypeError",
        "missing": "AttributeError",
    }
    found = asked(report, *faults, "good", "spies")
    for name, problem in faults.items():
        assert found[name].standing is Standing.UNKNOWN
        assert found[name].measures == ()
        assert problem in found[name].problem
    assert found["good"].standing is Standing.OK
    assert found["spies"].measures[0].value == 0.0


def test_memory_is_bounded(report: FullReport) -> None:
    assert "MemoryError" in asked(report, "greedy")["greedy"].problem


def test_a_module_that_hangs_is_killed_and_the_others_are_heard(report: FullReport) -> None:
    with hosting("hangs", "good", limits=HostLimits(time_s=0.5, start_s=60.0)) as host:
        host.start()
        first = host._workers[0].process
        assert first is not None
        results = _until(
            host,
            report,
            lambda r: "no answer within" in r[0].problem and r[1].standing is Standing.OK,
        )
        assert results[1].measures
        assert first.poll() == -signal.SIGKILL


def test_a_worker_still_starting_is_not_waited_for(report: FullReport) -> None:
    with hosting("good", limits=HostLimits(time_s=0.0)) as host:
        (result,) = host.ask(MARKET, report)
    assert result.problem == "is still starting"


def test_after_faults_in_a_row_a_module_rests_and_then_is_asked_again(report: FullReport) -> None:
    with hosting("raises") as host:
        problems = [host.ask(MARKET, report)[0].problem for _ in range(4)]
    assert problems[0] == "RuntimeError: broken inside"
    assert "rests for 1 questions" in problems[1]
    assert problems[2].startswith("rests after: RuntimeError")
    assert problems[3] == "RuntimeError: broken inside"


def test_a_dead_worker_is_started_again(report: FullReport) -> None:
    with hosting("good") as host:
        host.ask(MARKET, report)
        process = host._workers[0].process
        assert process is not None
        process.kill()
        process.wait()
        assert host.ask(MARKET, report)[0].standing is Standing.UNKNOWN
        assert host.ask(MARKET, report)[0].standing is Standing.OK


def test_installed_modules_are_listed_and_not_imported() -> None:
    assert all(isinstance(s, ModuleSpec) for s in installed())


def test_an_answer_comes_back() -> None:
    answer = ModuleAnswer((Measure("a", 1.5, "asset"),), "because")
    assert decode_answer(encode_answer(3, answer).strip()) == (3, answer)


@pytest.mark.parametrize(
    "line",
    [
        b"", b"7", b"[]", b"{}", b"[" * 100_000,
        b'{"id": "1", "veto": "", "measures": []}',
        b'{"id": 1, "veto": 7, "measures": []}',
        b'{"id": 1, "veto": "", "measures": 7}',
        b'{"id": 1, "veto": "a\\u001b[2J", "measures": []}',
        b'{"id": 1, "veto": "", "measures": [{"name": "x", "value": NaN, "unit": ""}]}',
        b'{"id": 1, "veto": "", "measures": [{"name": "x", "value": true, "unit": ""}]}',
        b'{"id": 1, "veto": "", "measures": [{"name": "x", "value": 1}]}',
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_refused(line: bytes) -> None:
    with pytest.raises(BadAnswerError):
        decode_answer(line)


def _until(host: ModuleHost, report: FullReport, seen: object) -> tuple[ModuleResult, ...]:
    """Ask while workers start, for as long as a slow machine may take."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        results = host.ask(MARKET, report)
        if seen(results):  # type: ignore[operator]
            return results
    raise AssertionError(results)
