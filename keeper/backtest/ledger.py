"""Every unit of a change of NAV has one entry: cause, venue, amount. The books are checked against NAV as measured."""

from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum

from keeper.errors import AccountingError
from keeper.model.quick import quick


class Cause(StrEnum):
    """Why NAV changed."""

    __hash__ = str.__hash__
    """An enumeration's own is of its name, and in Python."""
    PRICE = "price"
    """A new oracle price on what is held and owed, options at their former value."""
    OPTIONS = "options"
    """Options marked again: time, volatility, and the price."""
    PERPETUAL = "perpetual"
    """The perpetual marked again."""
    INTEREST_EARNED = "interest earned"
    INTEREST_PAID = "interest paid"
    FUNDING = "funding"
    POOL_FEE = "pool fee"
    IMPACT = "impact"
    """The pool's price moving while it fills."""
    BASIS = "basis"
    """The pool's price against the oracle's, at the trade."""
    VENUE_FEE = "venue fee"
    SPREAD = "spread"
    """Options sold under or bought over their mark, and the other way."""
    SETTLEMENT = "settlement"
    """Expiry: what was paid against the last mark."""
    LIQUIDATION = "liquidation"
    DEPOSIT = "deposit"
    REDEMPTION = "redemption"
    ROUNDING = "rounding"
    """Of venues and of the NAV itself."""


FLOWS = (Cause.DEPOSIT, Cause.REDEMPTION)
LENDING, POOL, OPTIONS, PERPETUAL, VAULT = "lending", "pool", "options", "perpetual", "vault"


@quick
@dataclass(frozen=True, slots=True)
class Entry:
    """One change of NAV, asset units."""

    time: int
    epoch: int
    cause: Cause
    venue: str
    amount: int


@dataclass(slots=True)
class CashLedger:
    """Entries and the NAV they add up to."""

    opening: int
    nav: int
    entries: list[Entry] = field(default_factory=list)

    @classmethod
    def opened(cls, nav: int) -> "CashLedger":
        """Books that begin with a NAV."""
        return cls(nav, nav)

    def book(self, time: int, epoch: int, cause: Cause, venue: str, amount: int) -> None:
        """Write a change down; nothing for none."""
        if amount:
            self.entries.append(Entry(time, epoch, cause, venue, amount))
            self.nav += amount

    def check(self, time: int, measured: int) -> None:
        """AccountingError if the books are a unit away from NAV as measured."""
        if self.nav != measured:
            raise AccountingError(time, self.nav, measured)

    def by_cause(self) -> dict[str, int]:
        """Sums by cause, in the order of first entry."""
        return _sums(self.entries, "cause")

    def by_venue(self) -> dict[str, int]:
        """Sums by venue, without flows of depositors."""
        return _sums([e for e in self.entries if e.cause not in FLOWS], "venue")

    def by_epoch(self) -> dict[int, dict[str, int]]:
        """Sums by epoch and cause."""
        found: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for entry in self.entries:
            found[entry.epoch][entry.cause] += entry.amount
        return {epoch: dict(causes) for epoch, causes in found.items()}


def _sums(entries: list[Entry], name: str) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for entry in entries:
        sums[str(getattr(entry, name))] += entry.amount
    return dict(sums)
