"""The same jobs on a Dask cluster: one that is running, or one of this machine's own that ends with the sweep."""

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from importlib import import_module
from typing import Any

from keeper.errors import SettingError
from keeper.sweep.job import Job
from keeper.sweep.processes import Done, Work
from keeper.sweep.work import failed, run_job

LOCAL = "local"
_CONNECT_S = 10
_OPTION = "--cluster"


def run_on_cluster(
    jobs: Sequence[Job], address: str, count: int, done: Done, work: Work = run_job
) -> None:
    """At a scheduler's address, or `local`: `count` worker processes on loopback, without a dashboard.

    SettingError without the package, and for an address where no scheduler answers.
    """
    dask, distributed = _packages()
    with ExitStack() as stack:
        # its own lines about workers that come and go say nothing a row does not say
        stack.enter_context(_quiet())
        if address == LOCAL:
            stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": 0}))
            cluster = distributed.LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                # what reaches a scheduler runs code in it: others of this machine are kept out by a certificate
                security=distributed.Security.temporary(),
                dashboard_address=None,
                silence_logs=logging.CRITICAL,
            )
            stack.enter_context(cluster)
            client = stack.enter_context(distributed.Client(cluster))
        else:
            client = stack.enter_context(_client(distributed, address))
        _give(client, distributed, jobs, done, work)


def _packages() -> tuple[Any, Any]:
    try:
        import_module("cryptography")  # for the certificate of a cluster of our own
        return import_module("dask"), import_module("distributed")
    except ImportError:
        problem = "needs the packages distributed and cryptography, which are not installed"
        raise SettingError(_OPTION, problem, "pip install 'gimbal[cluster]'") from None


def _client(distributed: Any, address: str) -> Any:
    try:
        return distributed.Client(address, timeout=_CONNECT_S)
    except (OSError, ValueError) as error:
        problem = f"no scheduler answers at {address} ({error})"
        raise SettingError(_OPTION, problem, "start one, or write --cluster local") from None


def _give(client: Any, distributed: Any, jobs: Sequence[Job], done: Done, work: Work) -> None:
    """One job for each thread of the cluster at a time: one that dies takes no other with it."""
    waiting = list(range(len(jobs)))[::-1]
    places: dict[str, int] = {}
    futures = distributed.as_completed()
    threads = sum(client.nthreads().values())
    if threads == 0:
        raise SettingError(_OPTION, "the cluster has no workers", "start some")

    def give() -> None:
        place = waiting.pop()
        future = client.submit(work, jobs[place], pure=False)
        places[future.key] = place
        futures.add(future)

    while waiting and len(places) < threads:
        give()
    for future in futures:
        place = places.pop(future.key)
        if future.status == "finished":
            figures = future.result()
        else:
            error = future.exception() if future.status == "error" else future.status
            figures = failed(f"the cluster lost the run ({type(error).__name__}: {error})")
        future.release()
        if waiting:
            give()
        done(place, figures)


class _quiet(ExitStack):  # noqa: N801 - read as a statement
    """Logs of the cluster's parts in this process, off while it lives."""

    def __enter__(self) -> "_quiet":
        logger = logging.getLogger("distributed")
        level = logger.level
        logger.setLevel(logging.CRITICAL)
        self.callback(logger.setLevel, level)
        super().__enter__()
        return self
