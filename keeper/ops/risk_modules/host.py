"""Ask every module, and never wait longer than promised.

A module that hangs is killed when its time is up and started again at once, for the next question; one that
raises, dies or answers nonsense is told of and asked again; after `most_faults` in a row it rests for `rest`
questions. A worker still starting is not waited for. None of this can delay `ask` beyond `time_s` and the
milliseconds that kill and start processes, or raise.
"""

import importlib.metadata
import os
import pickle
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from keeper.model.market import MarketState
from keeper.model.risk_report import FullReport, ModuleAnswer, ModuleResult, Standing
from keeper.ops.risk_modules.answer import MOST_BYTES, BadAnswerError, decode_answer, parse

GROUP = "gimbal.risk"
_LEAVE_S = 0.2
_PASSED_ON = ("PATH", "PYTHONPATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
"""No other variable reaches foreign code: settings may hold secrets (K-09)."""


@dataclass(frozen=True, slots=True)
class ModuleSpec:
    """An entry point, not loaded."""

    name: str
    value: str
    """`package.module:function`."""


@dataclass(frozen=True, slots=True)
class HostLimits:
    """What modules may use."""

    time_s: float = 0.25
    """For all answers of one question together."""
    start_s: float = 20.0
    """For a worker to start and import its module, while questions go on without it."""
    most_faults: int = 3
    rest: int = 100
    """Questions."""
    memory_mb: int = 2_048


def installed() -> tuple[ModuleSpec, ...]:
    """The modules that installed packages register, by name; nothing is imported."""
    found = importlib.metadata.entry_points(group=GROUP)
    return tuple(sorted((ModuleSpec(e.name, e.value) for e in found), key=lambda s: s.name))


@dataclass
class _Worker:
    """One process and what is on its way to and from it."""

    spec: ModuleSpec
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    ready: bool = False
    asked: int = 0
    """Number of the last question that was put to it."""
    outgoing: bytes = b""
    incoming: bytes = b""
    answer: ModuleAnswer | None = None
    problem: str = ""
    faults: int = 0
    resting: int = 0
    skipped: bool = False
    last_problem: str = field(default="", repr=False)


class ModuleHost:
    """All modules of one keeper; close it."""

    def __init__(
        self,
        specs: tuple[ModuleSpec, ...],
        limits: HostLimits | None = None,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits or HostLimits()
        self._now = now
        self._workers = [_Worker(spec) for spec in specs]
        self._number = 0

    def start(self) -> None:
        """Start every worker, so that they are ready by the first question."""
        for worker in self._workers:
            self._start(worker)

    def close(self) -> None:
        """End every worker."""
        for worker in self._workers:
            _kill(worker)

    def ask(self, market: MarketState, report: FullReport) -> tuple[ModuleResult, ...]:
        """What every module says, in the order of the specs, within `time_s`."""
        deadline = self._now() + self._limits.time_s
        self._number += 1
        text = pickle.dumps((self._number, market, report))
        for worker in self._workers:
            worker.answer, worker.problem = None, ""
            worker.skipped = worker.resting > 0
            if worker.skipped:
                worker.resting -= 1
                continue
            if worker.process is None:
                self._start(worker)
            # Half of an earlier question may still be on its way to a worker that was starting.
            if not worker.outgoing:
                worker.asked = self._number
                worker.outgoing = len(text).to_bytes(8, "big") + text
        self._exchange(deadline)
        return tuple(self._result(worker) for worker in self._workers)

    def _start(self, worker: _Worker) -> None:
        environment = {k: os.environ[k] for k in _PASSED_ON if k in os.environ}
        # The keeper's own search path: a module sees the packages that registered it.
        environment["PYTHONPATH"] = os.pathsep.join(p for p in sys.path if p)
        command = [sys.executable, "-m", "keeper.ops.risk_modules.worker"]
        command += [worker.spec.name, worker.spec.value, str(self._limits.memory_mb)]
        try:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and worker
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            self._fault(worker, f"could not be started: {error}")
            return
        for pipe in (process.stdin, process.stdout):
            os.set_blocking(pipe.fileno(), False)  # type: ignore[union-attr]
        worker.process, worker.started, worker.ready = process, self._now(), False
        worker.outgoing = worker.incoming = b""

    def _exchange(self, deadline: float) -> None:
        """Send and receive with all workers at once until all have answered or time is up."""
        with selectors.DefaultSelector() as selector:
            for worker in self._asked():
                process = worker.process
                selector.register(process.stdout, selectors.EVENT_READ, worker)  # type: ignore
                selector.register(process.stdin, selectors.EVENT_WRITE, worker)  # type: ignore
            while any(w.answer is None and not w.problem for w in self._asked()):
                left = deadline - self._now()
                if left <= 0.0:
                    break
                for key, events in selector.select(left):
                    worker = key.data
                    if events & selectors.EVENT_WRITE:
                        _send(worker)
                        if not worker.outgoing:
                            selector.unregister(key.fileobj)
                    elif not self._receive(worker):
                        selector.unregister(key.fileobj)
        for worker in self._asked():
            if worker.answer is None and not worker.problem:
                self._late(worker)

    def _asked(self) -> list[_Worker]:
        return [w for w in self._workers if w.process is not None and not w.skipped]

    def _late(self, worker: _Worker) -> None:
        if worker.ready and worker.asked == self._number:
            problem = f"gave no answer within {self._limits.time_s:g} s"
        elif self._now() - worker.started > self._limits.start_s:
            problem = f"was not ready within {self._limits.start_s:g} s"
        else:
            worker.problem = "is still starting"
            return
        self._fault(worker, problem)
        _kill(worker)
        if not worker.resting:
            self._start(worker)  # so that it may be ready by the next question

    def _receive(self, worker: _Worker) -> bool:
        """Take what there is; False once nothing more can come."""
        stream = worker.process.stdout if worker.process else None
        chunk = b""
        with suppress(BlockingIOError):
            chunk = os.read(stream.fileno(), MOST_BYTES) if stream else b""
        if not chunk:
            self._fault(worker, worker.last_problem or "ended without an answer")
            _kill(worker)
            return False
        worker.incoming += chunk
        while b"\n" in worker.incoming:
            line, worker.incoming = worker.incoming.split(b"\n", 1)
            self._line(worker, line)
        if len(worker.incoming) > MOST_BYTES:
            self._fault(worker, f"answered more than {MOST_BYTES} bytes")
            _kill(worker)
            return False
        return True

    def _line(self, worker: _Worker, line: bytes) -> None:
        try:
            said = parse(line)
        except BadAnswerError as error:
            self._fault(worker, str(error))
            return
        if said.get("ready") is True:
            worker.ready = True
            return
        if isinstance(fault := said.get("fault"), str):
            worker.last_problem = fault if fault.isprintable() else "raised"
            if said.get("id") != -1:  # else it could not be imported, and ends now
                self._fault(worker, worker.last_problem)
            return
        try:
            number, answer = decode_answer(line)
        except BadAnswerError as error:
            self._fault(worker, str(error))
            return
        if number == self._number:
            worker.answer, worker.faults = answer, 0

    def _fault(self, worker: _Worker, problem: str) -> None:
        if worker.problem:
            return
        worker.faults += 1
        worker.problem = worker.last_problem = problem
        if worker.faults >= self._limits.most_faults:
            worker.resting, worker.faults = self._limits.rest, 0
            worker.problem += f"; rests for {self._limits.rest} questions"

    def _result(self, worker: _Worker) -> ModuleResult:
        name = worker.spec.name
        if worker.answer is not None:
            standing = Standing.BREACH if worker.answer.veto else Standing.OK
            return ModuleResult(name, standing, worker.answer.veto, worker.answer.measures, "")
        problem = worker.problem or f"rests after: {worker.last_problem}"
        return ModuleResult(name, Standing.UNKNOWN, "", (), problem)


def _send(worker: _Worker) -> None:
    stream = worker.process.stdin if worker.process else None
    if stream is None:
        return
    try:
        worker.outgoing = worker.outgoing[os.write(stream.fileno(), worker.outgoing) :]
    except BlockingIOError:
        return
    except OSError:
        worker.outgoing = b""  # it is gone; its end is seen on the other pipe


def _kill(worker: _Worker) -> None:
    """The worker and whatever it started."""
    process, worker.process = worker.process, None
    worker.outgoing = worker.incoming = b""
    if process is None:
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    # What the kernel holds (a dead disk) ends when it lets go; nobody waits for that here.
    with suppress(subprocess.TimeoutExpired):
        process.wait(_LEAVE_S)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
