"""Depositors: requests, epochs, settlements and fees, as the vault's shares have them (SettlementMath, FeeMath)."""

from dataclasses import dataclass

from keeper.backtest.reverts import Reverted
from keeper.backtest.spec import FeeSpec
from keeper.model.market import Depositors, Fees, Marks
from keeper.model.units import BPS, Bps, Raw

NOWHERE, RECIPIENT = "0x" + "00" * 20, "0x" + "fc" * 20
YEAR_S = 365 * 86_400
MARK = 10**12
MOST_SHARES_PER_VIRTUAL = 10**8
_UNLIMITED = Raw(2**127)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What one settlement did; assets in asset units, shares raw."""

    assets_in: int
    assets_out: int
    management_shares: int
    performance_shares: int


@dataclass(slots=True)
class Shares:
    """The share side of the vault. `reserved` is paid out and not part of the vault any more."""

    fees: FeeSpec
    epoch_s: int
    virtual: int
    whole: int
    """Raw shares of one share."""
    supply: int
    settled_at: int
    settled_nav: int
    mark: int
    """High-water mark: asset units of a whole share, times 1e12."""
    epoch: int = 0
    pending_assets: int = 0
    pending_shares: int = 0
    reserved: int = 0
    fee_shares: int = 0
    paid_in: int = 0
    paid_out: int = 0
    _shown: Fees | None = None

    @classmethod
    def first(
        cls, fees: FeeSpec, epoch_s: int, asset_decimals: int, time: int, nav: int
    ) -> "Shares":
        """One share an asset, the mark at it."""
        virtual = 10 ** (18 - asset_decimals) if asset_decimals < 18 else 1
        whole = 10**asset_decimals * virtual
        mark = nav * MARK * whole // ((nav + 1) * virtual) if nav > 0 else 0
        return cls(fees, epoch_s, virtual, whole, max(0, nav) * virtual, time, max(0, nav), mark)

    def per_share(self, nav: int) -> float:
        """Asset units of one whole share; an estimate."""
        return (nav + 1) * self.whole / (self.supply + self.virtual)

    def depositors(self, marks: Marks | None, *, halted: bool) -> Depositors:
        """As the lens reads it."""
        fees = self._shown
        if fees is None:
            charged = self.fees.management_bps or self.fees.performance_bps
            fees = self._shown = Fees(
                RECIPIENT if charged else NOWHERE,
                Bps(self.fees.management_bps),
                Bps(self.fees.performance_bps),
            )
        return Depositors(
            self.epoch,
            self.settled_at,
            self.settled_at + self.epoch_s,
            Raw(self.pending_assets),
            self.pending_shares,
            Raw(self.reserved),
            Raw(self.settled_nav),
            self.mark,
            halted,
            _UNLIMITED,
            Raw(0),
            False,
            fees,
            fees,
            marks,
        )

    def settle(
        self, time: int, marks: Marks, liquid: int, *, halted: bool, winding_down: bool
    ) -> Settlement:
        """Fees first at the low mark, then deposits at the high one and redemptions at the low one."""
        if time < self.settled_at + self.epoch_s:
            raise Reverted("NotDue", self.settled_at + self.epoch_s, time)
        low, high = int(marks.low), int(marks.high)
        elapsed = 0 if winding_down else time - self.settled_at
        managed, performed = self._take_fees(low, elapsed)
        supply = self.supply
        assets_in = shares_out = 0
        if marks.open and not halted and self.pending_assets:
            shares_out = self.pending_assets * (supply + self.virtual) // (high + 1)
            counts = shares_out // MOST_SHARES_PER_VIRTUAL <= self.pending_assets * self.virtual
            assets_in = self.pending_assets if counts and shares_out else 0
            shares_out = shares_out if assets_in else 0
        shares_in, assets_out = self._redeem(supply, low, liquid + assets_in)
        self.pending_assets -= assets_in
        self.pending_shares -= shares_in
        self.supply = supply + shares_out - shares_in
        self.paid_in += assets_in
        self.paid_out += assets_out
        self.settled_nav = max(0, low + assets_in - assets_out)
        self.settled_at = time
        self.epoch += 1
        return Settlement(assets_in, assets_out, managed, performed)

    def _take_fees(self, nav: int, elapsed: int) -> tuple[int, int]:
        part = self.fees.management_bps * min(elapsed, YEAR_S)
        managed = self.supply * part // (BPS * YEAR_S - part)
        supply = self.supply + managed
        whole = supply + self.virtual
        floor = -(-self.mark * whole // (MARK * self.whole))
        performed = 0
        if nav > floor:
            fee = (nav - floor) * self.fees.performance_bps // BPS
            performed = whole * fee // (nav - fee)
        self.supply = supply + performed
        self.fee_shares += managed + performed
        per_share = nav * MARK * self.whole // (self.supply + self.virtual)
        self.mark = max(per_share, self.mark)
        return managed, performed

    def _redeem(self, supply: int, low: int, liquid: int) -> tuple[int, int]:
        shares = self.pending_shares
        assets = shares * (low + 1) // (supply + self.virtual)
        if assets > liquid:
            shares = shares * liquid // assets
            assets = shares * (low + 1) // (supply + self.virtual)
        return (shares, assets) if assets else (0, 0)
