"""Human units become integers in one place, rounded down."""

from pathlib import Path

import pytest

from keeper.config import risk as module
from keeper.config.policies import follow_policy, gas_policy, policies, tick_rules
from keeper.config.risk import module_specs
from keeper.errors import SettingError
from keeper.model.exposure import RiskInputs
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
