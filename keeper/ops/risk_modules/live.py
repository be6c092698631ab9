"""Modules beside the loop: the full report is made for them, and whatever goes wrong is their problem or ours, said."""

from keeper.model.exposure import RiskInputs
from keeper.model.market import MarketState
from keeper.model.risk_report import FullReport, ModuleResult, Standing
from keeper.ops.risk_modules.host import HostLimits, ModuleHost, ModuleSpec


class LiveModules:
    """The loop's `RiskModules`; close it."""

    def __init__(
        self, specs: tuple[ModuleSpec, ...], inputs: RiskInputs, limits: HostLimits | None = None
    ) -> None:
        self._names = tuple(spec.name for spec in specs)
        self._inputs = inputs
        self._host = ModuleHost(specs, limits)

    def start(self, market: MarketState) -> None:
        """Start every worker, and make one report of any state: the first compiles what later ones use."""
        self._host.start()
        self._report(market)

    def ask(self, market: MarketState) -> tuple[ModuleResult, ...]:
        """What each says; all are unknown if the report they are to judge cannot be made."""
        report = self._report(market)
        if isinstance(report, str):
            return tuple(
                ModuleResult(name, Standing.UNKNOWN, "", (), report) for name in self._names
            )
        return self._host.ask(market, report)

    def close(self) -> None:
        """End every worker."""
        self._host.close()

    def _report(self, market: MarketState) -> FullReport | str:
        from keeper.risk.deep import assess_deep  # scipy and numba: only for who has modules

        try:
            return assess_deep(market, self._inputs)
        except Exception as error:  # noqa: BLE001 - an extra must not end the loop that protects the vault
            return f"the risk report cannot be made: {type(error).__name__}: {error}"
