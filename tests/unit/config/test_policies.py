"""Human units become integers in one place, rounded down."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from keeper.backtest.spec import default_policies
from keeper.config import risk as module
from keeper.config.deciding import OptionSettings, PlanningSettings
from keeper.config.policies import follow_policy, gas_policy, policies, tick_rules
from keeper.config.risk import module_specs
from keeper.errors import SettingError
from keeper.model.exposure import RiskInputs
from keeper.model.policy import MarkPolicy, OptionPolicy, PlanningPolicy, UpkeepPolicy
from keeper.ops.risk_modules import ModuleSpec
from tests.unit.config.test_load import settings

MORE = """
[planning]
min_trade = "0.1234567"
max_swap = 1000
[gas]
max_fee_gwei = "0.5"
[guard]
min_keeper_balance_eth = "0.05"
max_loss_bps = 77
[follow]
bump_after_blocks = 3
"""


@pytest.mark.parametrize(
    ("decimals", "least"), [(0, 0), (6, 123_456), (18, 123_456_700_000_000_000)]
)
def test_amounts_are_whole_assets(tmp_path: Path, decimals: int, least: int) -> None:
    found = policies(settings(tmp_path, MORE).settings, decimals)
    assert found.planning.min_trade == least
    assert found.planning.max_swap == 1_000 * 10**decimals


def test_gwei_and_ether_become_wei(tmp_path: Path) -> None:
    loaded = settings(tmp_path, MORE).settings
    assert gas_policy(loaded).routine_ceiling_wei == 5 * 10**8
    assert policies(loaded, 6).guard.min_keeper_balance_wei == 5 * 10**16


def test_plans_are_sized_to_pass_the_guard(tmp_path: Path) -> None:
    found = policies(settings(tmp_path, MORE).settings, 6)
    assert found.planning.max_loss_bps == found.guard.max_loss_bps == 77


def test_rules_and_patience_are_passed_on(tmp_path: Path) -> None:
    loaded = settings(tmp_path, MORE).settings
    assert tick_rules(loaded, dry_run=True).dry_run
    assert tick_rules(loaded, dry_run=False).deadline_s == 120
    assert follow_policy(loaded).bump_after_blocks == 3


DECIDED = """
[planning]
risk_aversion = 7.5
slice_impact_bps = 33
[options]
start_window_s = 60
max_writes = 5
[upkeep]
options = false
marks = false
mark_band_bps = 77
"""


def test_every_policy_of_planning_can_be_set_and_has_a_default(tmp_path: Path) -> None:
    """A field of the policy without a setting could not be changed by an operator."""
    said = policies(settings(tmp_path, DECIDED).settings, 6)
    assert (said.planning.risk_aversion, said.planning.slice_impact_bps) == (7.5, 33)
    assert (said.planning.options.start_window_s, said.planning.options.max_writes) == (60, 5)
    assert said.upkeep == UpkeepPolicy(options=False, marks=MarkPolicy(False, 77))
    # said by what connects it: an order elsewhere is refused with its plan
    connected = {"option_venue"}
    settable = set(PlanningSettings.model_fields) | {"options", "max_loss_bps"} | connected
    assert {field.name for field in fields(PlanningPolicy)} == settable
    assert {field.name for field in fields(OptionPolicy)} == set(OptionSettings.model_fields)


def test_the_backtests_defaults_are_the_settings_own(tmp_path: Path) -> None:
    """All but the hidden start, which means nothing between bars."""
    ours = policies(settings(tmp_path, "").settings, 6).planning
    assert ours == replace(default_policies(6).planning, options=ours.options)


RISK = """
[risk]
volatility = 0.65
oracle_latency_s = 7
block_time_s = 2
calm_base_fee_gwei = "0.5"
silent_module_refuses = false
modules = ["b", "a", "b"]
"""


def test_risk_is_measured_as_the_settings_say(tmp_path: Path) -> None:
    found = policies(settings(tmp_path, RISK).settings, 6)
    assert found.risk.volatility == 0.65
    tempo = found.risk.tempo
    assert (tempo.block_time_s, tempo.oracle_latency_s) == (2.0, 7.0)
    assert tempo.calm_base_fee_wei == 5 * 10**8
    assert not found.modules.silence_refuses


def test_by_default_nothing_is_forecast_and_silence_refuses(tmp_path: Path) -> None:
    found = policies(settings(tmp_path).settings, 6)
    assert found.risk == RiskInputs()
    assert found.modules.silence_refuses
    assert module_specs(settings(tmp_path).settings) == ()


def test_modules_are_named_once_each_and_must_be_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = ModuleSpec("a", "x:a"), ModuleSpec("b", "x:b")
    chosen = settings(tmp_path, RISK).settings
    monkeypatch.setattr(module, "installed", lambda: (a, b))
    assert module_specs(chosen) == (b, a)
    monkeypatch.setattr(module, "installed", lambda: (a,))
    with pytest.raises(SettingError, match=r"risk.modules: no risk module 'b'.*known are a"):
        module_specs(chosen)
