"""Settings of risk become the engine's inputs, and names of modules become entry points."""

from decimal import ROUND_DOWN

from keeper.config.settings import Settings
from keeper.errors import SettingError
from keeper.model.exposure import RiskInputs, Tempo
from keeper.ops.risk_modules import GROUP, ModuleSpec, installed


def risk_inputs(settings: Settings) -> RiskInputs:
    """What the market state does not say; the same for every tick and for `keeper risk`."""
    risk = settings.risk
    calm_wei = (risk.calm_base_fee_gwei * 10**9).to_integral_value(ROUND_DOWN)
    tempo = Tempo(
        block_time_s=risk.block_time_s,
        calm_base_fee_wei=max(1, int(calm_wei)),
        oracle_latency_s=risk.oracle_latency_s,
    )
    return RiskInputs(volatility=risk.volatility, tempo=tempo)


def module_specs(settings: Settings) -> tuple[ModuleSpec, ...]:
    """The modules that are named, in that order; SettingError for one that no package registers."""
    known = {spec.name: spec for spec in installed()}
    for name in settings.risk.modules:
        if name not in known:
            there = ", ".join(known) or f"none: no package registers one in the group {GROUP}"
            raise SettingError("risk.modules", f"no risk module {name!r}", f"known are {there}")
    return tuple(known[name] for name in dict.fromkeys(settings.risk.modules))
