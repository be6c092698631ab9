"""What the settings name is wired: risk modules start with the keeper, and a wrong name is told at once."""

import time
from pathlib import Path

import pytest

from keeper.app.build import _modules
from keeper.config import risk
from keeper.config.policies import policies
from keeper.model.risk_report import ModuleResult, Standing
from keeper.ops.risk_modules import ModuleSpec
from tests.builders import CHAIN_ID, make_market, make_readings
from tests.unit.config.test_load import settings

NAMED = """
[risk]
volatility = 0.5
module_time_s = 2
modules = ["vetoes"]
"""


def test_modules_named_in_the_settings_run_and_are_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = ModuleSpec("vetoes", "tests.unit.ops.risk_modules.bad_modules:vetoes")
    monkeypatch.setattr(risk, "installed", lambda: (spec,))
    chosen = settings(tmp_path, NAMED).settings
    readings = make_readings()
    modules = _modules(chosen, policies(chosen, 6), readings)
    assert modules is not None
    assert readings.chain_id == CHAIN_ID
    try:
        result = ModuleResult("", Standing.UNKNOWN, "", (), "is still starting")
        end = time.monotonic() + 60
        while "starting" in result.problem and time.monotonic() < end:
            (result,) = modules.ask(make_market(readings))
    finally:
        modules.close()
    assert (result.module, result.veto) == ("vetoes", "the moon is full")


def test_without_names_nothing_is_started(tmp_path: Path) -> None:
    chosen = settings(tmp_path).settings
    assert _modules(chosen, policies(chosen, 6), make_readings()) is None
