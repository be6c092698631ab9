"""Jobs in processes of this machine: each worker has a pipe of its own, so a worker that dies costs one job by name.

An executor of the library calls the whole pool broken when one process is killed; here the job it had is told as lost,
and another worker goes on.
"""

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from keeper.sweep.job import Job
from keeper.sweep.work import Figures, failed, run_job

Done = Callable[[int, Figures], None]
"""Told of each job that is over: its place among the jobs, and its figures."""
Work = Callable[[Job], Figures]
_PATIENCE_S = 5.0


def run_here(jobs: Sequence[Job], done: Done, work: Work = run_job) -> None:
    """One after the other, in this process."""
    for place, job in enumerate(jobs):
        done(place, work(job))


def run_in_processes(jobs: Sequence[Job], count: int, done: Done, work: Work = run_job) -> None:
    """In `count` processes; whatever ends this call ends them too."""
    workers: list[_Worker] = []
    waiting = list(range(len(jobs)))[::-1]
    try:
        for _ in range(min(count, len(jobs))):
            workers.append(_Worker.started(work))
            workers[-1].give(waiting.pop(), jobs)
        while any(worker.place is not None for worker in workers):
            ready = wait([worker.pipe for worker in workers if worker.place is not None])
            for at, worker in enumerate(workers):
                if worker.pipe not in ready or worker.place is None:
                    continue
                place, figures = worker.place, worker.taken()
                if figures is None:
                    figures = failed(worker.why_dead())
                    workers[at] = _Worker.started(work)
                workers[at].place = None
                if waiting:
                    workers[at].give(waiting.pop(), jobs)
                done(place, figures)
    finally:
        for worker in workers:
            worker.stop()


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    pipe: "Connection[Any, Any]"
    place: int | None = None
    """Of the job it has."""

    @classmethod
    def started(cls, work: Work) -> "_Worker":
        # spawn: a fork would copy threads' locks of numerical libraries in whatever state they are
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, work), daemon=True)
        process.start()
        theirs.close()  # so that the worker's end closes with the worker
        return cls(process, ours)

    def give(self, place: int, jobs: Sequence[Job]) -> None:
        self.place = place
        try:
            self.pipe.send(jobs[place])
        except OSError:
            return  # it is dead already: reading from it says so

    def taken(self) -> Figures | None:
        """Its answer; None if it died."""
        try:
            figures: Figures = self.pipe.recv()
        except (EOFError, OSError):
            return None
        return figures

    def why_dead(self) -> str:
        self.process.join(_PATIENCE_S)
        code = self.process.exitcode
        self.pipe.close()
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            hint = "; the system kills so what takes too much memory: fewer --jobs"
            return f"the worker was killed by {name}{hint if name == 'SIGKILL' else ''}"
        return f"the worker ended with exit code {code}"

    def stop(self) -> None:
        self.pipe.close()
        self.process.terminate()
        self.process.join(_PATIENCE_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()


def _serve(pipe: "Connection[Any, Any]", work: Work) -> None:
    """Jobs until the pipe is closed. Ctrl-C is for the process that gives them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        pipe.send(work(job))
