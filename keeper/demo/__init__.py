"""The demo: two equal vaults live through one price path; one of them has a keeper."""

from keeper.demo.options import DemoOptions
from keeper.demo.run import run_demo
from keeper.report.summary import Summary

__all__ = ["DemoOptions", "Summary", "run_demo"]
