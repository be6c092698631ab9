"""The vault's holdings as one value: what a move does to them, and the health that follows.

Planning, risk and the guard all reason about "the vault after this move"; they do it with this one
ledger so that they cannot disagree. Values are kept as exact integers in a common scale (asset units x
WAD x 10**base decimals); division happens once, at the end, in the direction the name says.
"""

from dataclasses import dataclass, replace
from typing import Any

from keeper.model.decision import Move, MoveKind
from keeper.model.market import NO_OPTIONS, BookValue, Readings, Token, TokenPosition
from keeper.model.quick import quick
from keeper.model.units import BPS, INFINITE_HEALTH, MAX_UINT256, WAD, Raw, Wad, ten_to


class ImpossibleMoveError(ValueError):
    """The move cannot be made on these holdings (nothing idle, no such debt, unknown token)."""


@quick
@dataclass(frozen=True, slots=True)
class Holding:
    """One token of the vault: idle, supplied and owed, in token units, with the venue's terms."""

    token: str
    decimals: int
    idle: int
    supplied: int
    debt: int
    ltv_bps: int
    liquidation_threshold_bps: int
    available: int
    """Liquidity of the venue that can be borrowed or withdrawn now."""
    frozen: bool
    """The venue takes no new supply and gives no new loan."""

    @property
    def net(self) -> int:
        """Idle + supplied - debt."""
        return self.idle + self.supplied - self.debt


@quick
@dataclass(frozen=True, slots=True)
class Ledger:
    """Both holdings at one oracle price (asset per whole base, WAD)."""

    asset: Holding
    base: Holding
    price_wad: Wad
    book: BookValue = NO_OPTIONS
    """Options, at the price; moves change its collateral and its cash, fills of auctions the rest."""

    @classmethod
    def of(cls, readings: Readings) -> "Ledger":
        """The holdings that the readings report; of the readings last asked for they are known already."""
        seen, known = _latest.of
        if seen is readings:
            return known  # type: ignore[no-any-return]
        r = readings
        made = cls(
            _holding(r.asset, r.idle_asset, r.asset_position),
            _holding(r.base, r.idle_base, r.base_position),
            r.price.price_wad,
            r.options.value or NO_OPTIONS,
        )
        _latest.of = (readings, made)
        return made

    @property
    def asset_scale(self) -> int:
        """Scaled value of one asset unit."""
        return WAD * ten_to(self.base.decimals)

    @property
    def base_scale(self) -> int:
        """Scaled value of one base unit."""
        return self.price_wad * ten_to(self.asset.decimals)

    def holding(self, token: str) -> Holding:
        """The holding of `token`; raises ImpossibleMoveError for any other token."""
        for holding in (self.asset, self.base):
            if holding.token.lower() == token.lower():
                return holding
        raise ImpossibleMoveError(f"token {token} is neither the vault's asset nor its base")

    def scale(self, holding: Holding) -> int:
        """Scaled value of one unit of this holding's token."""
        return self.asset_scale if holding.token == self.asset.token else self.base_scale

    def collateral_scaled(self) -> int:
        """Value of everything supplied."""
        asset, base = self.asset.supplied, self.base.supplied
        return asset * self.asset_scale + base * self.base_scale if asset or base else 0

    def debt_scaled(self) -> int:
        """Value of everything owed at the lending venue."""
        asset, base = self.asset.debt, self.base.debt
        return asset * self.asset_scale + base * self.base_scale if asset or base else 0

    def owed_scaled(self) -> int:
        """Value of everything owed: at the venue, and on options sold."""
        liability = self.book.liability_mid
        return self.debt_scaled() + (liability * self.asset_scale if liability else 0)

    def gross_scaled(self) -> int:
        """Value of everything held: idle, supplied, collateral of options, cash in auctions."""
        asset, base, book = self.asset, self.base, self.book
        of_asset = asset.idle + asset.supplied + book.collateral_asset + book.escrow_asset
        of_base = base.idle + base.supplied + book.collateral_base
        return of_asset * self.asset_scale + of_base * self.base_scale

    def threshold_scaled(self) -> int:
        """Sum of supplied value x liquidation threshold, times BPS."""
        return sum(
            h.supplied * self.scale(h) * h.liquidation_threshold_bps
            for h in (self.asset, self.base)
        )

    def borrow_limit_scaled(self) -> int:
        """Sum of supplied value x loan-to-value, times BPS."""
        return sum(h.supplied * self.scale(h) * h.ltv_bps for h in (self.asset, self.base))

    def health_wad(self) -> Wad:
        """Collateral x liquidation threshold / debt, rounded down as the venue does.

        The venue rounds the average threshold down to a basis point first; so do we.
        """
        debt = self.debt_scaled()
        if debt <= 0:
            return INFINITE_HEALTH
        collateral = self.collateral_scaled()
        average_bps = self.threshold_scaled() // collateral if collateral else 0
        return Wad(collateral * average_bps * WAD // (debt * BPS))

    def value_down(self, holding: Holding, amount: int) -> int:
        """Asset units that `amount` of this holding's token is worth, rounded down."""
        return amount * self.scale(holding) // self.asset_scale

    def value_up(self, holding: Holding, amount: int) -> int:
        """Asset units that `amount` of this holding's token is worth, rounded up."""
        return -(-amount * self.scale(holding) // self.asset_scale)

    def nav_down(self) -> Raw:
        """Everything held less everything owed, asset units, rounded down."""
        return Raw((self.gross_scaled() - self.owed_scaled()) // self.asset_scale)

    def net_delta(self) -> Raw:
        """Net base exposure in base units (signed), options included."""
        base, book = self.base, self.book
        held = base.idle + base.supplied - base.debt
        return Raw(held + book.collateral_base + book.delta_base)

    def amount_of(self, move: Move) -> int:
        """The move's amount with `type(uint256).max` resolved as the vault does."""
        if move.amount != MAX_UINT256:
            return move.amount
        holding = self.holding(move.token)
        everything = {
            MoveKind.WITHDRAW: holding.supplied,
            MoveKind.REPAY: min(holding.idle, holding.debt),
        }
        return everything.get(move.kind, holding.idle)

    def apply(self, move: Move, received: int = 0) -> "Ledger":
        """Holdings after the move; `received` is what a swap gave of the other token.

        Raises ImpossibleMoveError when the vault does not hold what the move takes, and for moves of
        options, whose outcome others decide.
        """
        if move.kind not in _CHANGES:
            raise ImpossibleMoveError(f"{move.kind.name.lower()} is not a move this keeper makes")
        holding = self.holding(move.token)
        amount = self.amount_of(move)
        if amount < 0:
            raise ImpossibleMoveError(f"{move.kind.name.lower()} of a negative amount {amount}")
        idle, supplied, debt, available = (sign * amount for sign in _CHANGES[move.kind])
        after = replace(
            holding,
            idle=holding.idle + idle,
            supplied=holding.supplied + supplied,
            debt=holding.debt + debt,
            available=holding.available + available,
        )
        for name in ("idle", "supplied", "debt", "available"):
            if getattr(after, name) < 0:
                raise ImpossibleMoveError(
                    f"{move.kind.name.lower()} of {amount} units of {move.token} is more than "
                    f"{getattr(holding, name)} {name}"
                )
        ledger = self._with(after)
        if move.kind is MoveKind.SWAP:
            other = ledger.base if holding.token == self.asset.token else ledger.asset
            ledger = ledger._with(replace(other, idle=other.idle + received))
        return ledger

    def lock(self, token: str, collateral: int) -> "Ledger":
        """Holdings when so much idle becomes collateral of options; negative: when it comes back.

        Raises ImpossibleMoveError when it is not there.
        """
        holding = self.holding(token)
        is_base = holding.token == self.base.token
        held = self.book.collateral_base if is_base else self.book.collateral_asset
        if collateral > holding.idle or -collateral > held:
            there = f"{holding.idle} idle, {held} behind options"
            raise ImpossibleMoveError(f"{collateral} units of {token} as collateral: {there}")
        moved = Raw(held + collateral)
        book = (
            replace(self.book, collateral_base=moved)
            if is_base
            else replace(self.book, collateral_asset=moved)
        )
        return replace(self._with(replace(holding, idle=holding.idle - collateral)), book=book)

    def park(self, cash: int) -> "Ledger":
        """Holdings when so much idle asset waits in a purchase of options; negative: when it comes back."""
        escrow = self.book.escrow_asset
        if cash > self.asset.idle or -cash > escrow:
            raise ImpossibleMoveError(
                f"{cash} asset units for a purchase: {self.asset.idle} idle, {escrow} in purchases"
            )
        book = replace(self.book, escrow_asset=Raw(escrow + cash))
        return replace(self, asset=replace(self.asset, idle=self.asset.idle - cash), book=book)

    def _with(self, holding: Holding) -> "Ledger":
        if holding.token == self.asset.token:
            return replace(self, asset=holding)
        return replace(self, base=holding)


class _Latest:
    """The ledger of the readings that were asked for last: every stage of a tick asks for the same."""

    __slots__ = ("of",)

    def __init__(self) -> None:
        # one value, so that another thread never sees half of it
        self.of: tuple[Readings | None, Any] = (None, None)


_latest = _Latest()
_CHANGES: dict[MoveKind, tuple[int, int, int, int]] = {
    MoveKind.SUPPLY: (-1, 1, 0, 1),
    MoveKind.WITHDRAW: (1, -1, 0, -1),
    MoveKind.BORROW: (1, 0, 1, -1),
    MoveKind.REPAY: (-1, 0, -1, 1),
    MoveKind.SWAP: (-1, 0, 0, 0),
}
"""Sign of the change of idle, supplied, debt and the venue's liquidity, per kind."""


def _holding(token: Token, idle: int, position: TokenPosition) -> Holding:
    return Holding(
        token.address,
        token.decimals,
        idle,
        position.supplied,
        position.debt,
        position.ltv_bps,
        position.liquidation_threshold_bps,
        position.available,
        position.frozen_or_paused,
    )


def changes_price_exposure(move: Move, before: Ledger) -> bool:
    """True for a swap, a loan, a sale or purchase of options, or a withdrawal of collateral while anything is owed."""
    if move.kind in (MoveKind.SWAP, MoveKind.BORROW, MoveKind.WRITE, MoveKind.BUY_BACK):
        return True
    return move.kind is MoveKind.WITHDRAW and (before.asset.debt > 0 or before.base.debt > 0)
