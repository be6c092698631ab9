"""Many backtests of one question: parameters varied, in processes or on a cluster, one row a run."""

from keeper.sweep.job import Job, Variation
from keeper.sweep.run import Sweep, run_sweep

__all__ = ["Job", "Sweep", "Variation", "run_sweep"]
