"""Prints, one a line, each kernel that a tick or a command has compiled or loaded although `warm` had not.

Run in a process of its own, so that what other tests have called does not count: `python -m ... FOLDER` (for files).
"""

import contextlib
import importlib
import io
import pkgutil
import sys
from pathlib import Path

from numba.core.dispatcher import Dispatcher

import keeper.quant
from keeper.cli.main import invoke
from keeper.model.exposure import RiskPolicy
from keeper.quant import rehearsal
from keeper.quant.montecarlo import Gbm, Hedge, Option, Portfolio, Rule, Run, simulate
from keeper.quant.warm import warm
from keeper.risk.scan import heat_map, scan
from keeper.risk.scenarios import standard_scenarios
from scripts.bench.tick import made, ours
from tests.unit.cli.test_volatility import chain_file, hourly_file
from tests.unit.risk.books import mixed_book
from tests.unit.risk.test_deep import rich

Ready = dict[str, set[object]]


def ready() -> Ready:
    """What every kernel has machine code for in this process."""
    found: Ready = {}
    for info in pkgutil.walk_packages(keeper.quant.__path__, "keeper.quant."):
        module = importlib.import_module(info.name)
        for value in vars(module).values():
            if isinstance(value, Dispatcher):
                function = value.py_func
                found[f"{function.__module__}.{function.__name__}"] = set(value.signatures)
    return found


def work(folder: Path) -> None:
    """A tick's numerics, the risk report, and every command that calls kernels."""
    ours(made(100))
    book = mixed_book()
    scan(book, standard_scenarios(RiskPolicy()), {})
    heat_map(book, 1.0)
    book.greeks()
    rich()
    held = Portfolio((Option(2_000.0, 0.1, -1.0),), hedge=Hedge(Rule.BAND, volatility=0.6))
    simulate(Gbm(0.5), held, 2_000.0, Run(32, 3, 0.1))
    with contextlib.redirect_stdout(io.StringIO()):
        assert invoke(["volatility", "surface", str(chain_file(folder))]) == 0
        assert invoke(["volatility", "forecast", str(hourly_file(folder)), "--first", "120"]) == 0


def main() -> None:
    """Prints nothing if `warm` is whole; with a second argument leaves that part of it out."""
    from keeper.quant import compiled

    assert rehearsal.__name__ in sys.modules
    for name in sys.argv[2:]:
        del compiled.WARMERS[name]
    warm()
    before = ready()
    work(Path(sys.argv[1]))
    for name, signatures in ready().items():
        for signature in signatures - before[name]:
            print(name, signature)


if __name__ == "__main__":
    main()
