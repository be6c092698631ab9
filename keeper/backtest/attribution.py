"""Where the result came from: exact books by cause, venue and epoch, and an estimate of what Greeks explain of them.

The books are exact: opening NAV + sum of entries = closing NAV, in asset units. Greeks explain entries of marks
only; what they leave is the residual, reported and never spread over the rest.
"""

from dataclasses import dataclass, field

from keeper.backtest.ledger import FLOWS, CashLedger, Cause
from keeper.backtest.split import StrategySplit

GREEKS = ("delta", "gamma", "theta", "vega", "vanna", "volga")
CARRY = (Cause.INTEREST_EARNED, Cause.INTEREST_PAID, Cause.FUNDING)
FEES = (Cause.POOL_FEE, Cause.VENUE_FEE)
SLIPPAGE = (Cause.IMPACT, Cause.BASIS, Cause.SPREAD)


@dataclass(frozen=True, slots=True)
class Attribution:
    """Asset units. `by_cause` and `flows` add up to closing - opening exactly; `parts` add up to the same less flows,
    after gas."""

    strategy: str
    opening: int
    closing: int
    flows: int
    gas: int
    """Paid by the keeper's account, not by NAV."""
    by_cause: dict[str, int]
    by_venue: dict[str, int]
    by_epoch: dict[int, dict[str, int]]
    parts: dict[str, float]
    """delta, gamma, theta, vega, vanna, volga, carry, fees, slippage, settlement, liquidation, gas, residual."""
    by_strategy: dict[str, dict[str, int]] = field(default_factory=dict)
    """Of a composite: sums by cause of each part and of what is `shared`; they add up to the books exactly."""
    gas_by_strategy: dict[str, int] = field(default_factory=dict)

    @property
    def exact(self) -> bool:
        """The identity: NAV change = flows + entries, to the last unit; and so by strategy, where there are several."""
        change = sum(self.by_cause.values())
        split = sum(sum(causes.values()) for causes in self.by_strategy.values())
        whole = not self.by_strategy or (
            split == change and sum(self.gas_by_strategy.values()) == self.gas
        )
        return self.closing - self.opening == change and whole


def attribute(
    strategy: str,
    ledger: CashLedger,
    closing: int,
    gas: int,
    explained: dict[str, float],
    *,
    parts_of: StrategySplit | None = None,
) -> Attribution:
    """From the books, what Greeks explained of the options' marks, and the books by strategy, if there are several."""
    causes = ledger.by_cause()

    def of(*wanted: Cause) -> int:
        return sum(causes.get(cause, 0) for cause in wanted)

    parts: dict[str, float] = dict.fromkeys(GREEKS, 0.0)
    parts.update(explained)
    parts["delta"] += of(Cause.PRICE, Cause.PERPETUAL)
    parts["carry"] = float(of(*CARRY))
    parts["fees"] = float(of(*FEES))
    parts["slippage"] = float(of(*SLIPPAGE))
    parts["settlement"] = float(of(Cause.SETTLEMENT))
    parts["liquidation"] = float(of(Cause.LIQUIDATION))
    parts["gas"] = float(-gas)
    flows = of(*FLOWS)
    parts["residual"] = closing - ledger.opening - flows - gas - sum(parts.values())
    return Attribution(
        strategy,
        ledger.opening,
        closing,
        flows,
        gas,
        causes,
        ledger.by_venue(),
        ledger.by_epoch(),
        parts,
        parts_of.by_strategy if parts_of else {},
        parts_of.gas if parts_of else {},
    )
