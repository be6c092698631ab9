"""Ask the strategy in its process, and never wait longer than promised.

One that is late is killed and started again at once, for the next block; after `most_faults` in a row it rests for
`rest` decisions. Whatever goes wrong, the answer is a target that holds, with the reason.
"""

import os
import pickle
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from keeper.errors import SettingError
from keeper.hosted.answer import MOST_BYTES, BadTargetError, decode_target, parse
from keeper.model.decision import Lane, Target
from keeper.model.market import MarketState
from keeper.model.risk import RiskReport

_LEAVE_S = 0.2
_PASSED_ON = ("PATH", "PYTHONPATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "NUMBA_CACHE_DIR")
"""No other variable reaches foreign code: settings may hold secrets (K-09)."""


@dataclass(frozen=True, slots=True)
class StrategyLimits:
    """What a foreign strategy may use."""

    time_s: float = 1.0
    """For one decision."""
    start_s: float = 60.0
    """For its process to start and import it."""
    memory_mb: int = 4_096
    """Address space, which numerical libraries ask for in large pieces."""
    most_faults: int = 3
    rest: int = 25
    """Decisions."""


class HostedStrategy:
    """A strategy in a process of its own; close it."""

    def __init__(
        self,
        name: str,
        parameters: dict[str, Any],
        limits: StrategyLimits | None = None,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.problem = ""
        """Why the last decision was to hold still; empty if it was the strategy's own."""
        self.recorded_as: tuple[str, dict[str, Any] | None] = (name, None)
        """Its class and parameters for the journal, once it has started."""
        self._parameters, self._limits, self._now = parameters, limits or StrategyLimits(), now
        self._process: subprocess.Popen[bytes] | None = None
        self._incoming = b""
        self._ready = False
        self._number = self._faults = self._resting = 0

    def start(self) -> "HostedStrategy":
        """Started, its parameters taken; SettingError says what it does not like."""
        self._spawn()
        said = self._line(self._now() + self._limits.start_s)
        if said is not None and isinstance(said.get("ready"), dict):
            self._greeted(said["ready"])
            return self
        why = said.get("fault") if said else None
        problem = str(why or self.problem or f"was not ready within {self._limits.start_s:g} s")
        self.close()
        raise SettingError("strategy.name", f"{self.name}: {problem}", "correct or reinstall it")

    def close(self) -> None:
        """End its process, and whatever that started."""
        process, self._process = self._process, None
        self._incoming, self._ready = b"", False
        if process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_LEAVE_S)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """As `decide`."""
        return self.decide(market, risk)

    def decide(self, market: MarketState, risk: RiskReport) -> Target:
        """Its target, or one that holds and says why; within `time_s`, and never raises for what it does."""
        self.problem = ""
        if self._resting > 0:
            self._resting -= 1
            return self._hold("rests after faults in a row")
        if self._process is None:
            self._spawn()
        self._number += 1
        target = self._ask(pickle.dumps((self._number, market, risk)))
        if target is None:
            return self._hold(self.problem)
        self._faults = 0
        return target

    def _ask(self, text: bytes) -> Target | None:
        """None with `problem` set if there is no answer that can be used."""
        deadline = self._now() + self._limits.time_s
        if not self._ready:
            said = self._line(deadline)
            if said is None or not isinstance(said.get("ready"), dict):
                self._fault(str((said or {}).get("fault") or "is still starting"), said)
                return None
            self._greeted(said["ready"])
        if not self._send(text, deadline):
            self._late("took no question")
            return None
        while (said := self._line(deadline)) is not None:
            if isinstance(why := said.get("fault"), str):
                self._fault(why if why.isprintable() else "raised", said)
                return None
            try:
                number, target = decode_target(said)
            except BadTargetError as error:
                self._fault(str(error), said)
                return None
            if number == self._number:
                return target
        self._late(self.problem or f"gave no answer within {self._limits.time_s:g} s")
        return None

    def _greeted(self, recorded: dict[str, Any]) -> None:
        self._ready = True
        parameters = recorded.get("parameters")
        known = parameters if isinstance(parameters, dict) else None
        self.recorded_as = (str(recorded.get("strategy", self.name)), known)

    def _hold(self, problem: str) -> Target:
        self.problem = problem
        return Target(
            Lane.ROUTINE, None, None, f"strategy {self.name} {problem}: the vault holds still"
        )

    def _late(self, problem: str) -> None:
        self.close()
        self._fault(problem, {})

    def _fault(self, problem: str, said: dict[str, Any] | None) -> None:
        """Counted, unless it is only starting; the process is begun anew where it is gone or was killed."""
        self.problem = problem
        if said is None and self._process is not None and not self._ready:
            return
        self._faults += 1
        if self._faults >= self._limits.most_faults:
            self._resting, self._faults = self._limits.rest, 0
            self.close()
        elif self._process is None:
            self._spawn()

    def _spawn(self) -> None:
        environment = {k: os.environ[k] for k in _PASSED_ON if k in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(p for p in sys.path if p)
        command = [sys.executable, "-m", "keeper.hosted.worker", str(self._limits.memory_mb)]
        self._incoming, self._ready = b"", False
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and worker
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            self.problem = f"could not be started: {error}"
            return
        for pipe in (self._process.stdin, self._process.stdout):
            os.set_blocking(pipe.fileno(), False)  # type: ignore[union-attr]
        first = pickle.dumps((self.name, self._parameters))
        self._send(first, self._now() + self._limits.time_s)

    def _send(self, text: bytes, deadline: float) -> bool:
        process = self._process
        if process is None or process.stdin is None:
            return False
        left = len(text).to_bytes(8, "big") + text
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdin, selectors.EVENT_WRITE)
            while left:
                if self._now() >= deadline or not selector.select(max(0.0, deadline - self._now())):
                    return False
                try:
                    left = left[os.write(process.stdin.fileno(), left) :]
                except BlockingIOError:
                    continue
                except OSError:
                    self.problem = "ended"
                    return False
        return True

    def _line(self, deadline: float) -> dict[str, Any] | None:
        """The next line it says, by the deadline; None with or without a `problem`."""
        process = self._process
        if process is None or process.stdout is None:
            return None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._incoming:
                if not selector.select(max(0.0, deadline - self._now())):
                    return None
                try:
                    chunk = os.read(process.stdout.fileno(), MOST_BYTES)
                except BlockingIOError:
                    continue
                self._incoming += chunk
                if not chunk or len(self._incoming) > MOST_BYTES:
                    self.problem = "answered too much" if chunk else "ended without an answer"
                    self.close()
                    return None
        line, self._incoming = self._incoming.split(b"\n", 1)
        try:
            return parse(line)
        except BadTargetError as error:
            return {"fault": str(error)}
