"""The mandate as the contract keeps and judges it (contracts/Mandate.sol, LossBudget.sol), in the same integers.

What the guard foresees is checked here again on the state in which the transaction lands, as the chain would.
"""

from dataclasses import dataclass, field, replace

from keeper.backtest.reverts import Reverted
from keeper.model.mandate import DUST_UNITS, TOP_UP_TIMES, Budget, Caps, MandateState, Terms
from keeper.model.market import Measure
from keeper.model.units import BPS, WAD, Wad

MANDATE_ADDRESS = "0x" + "3a" * 20
REFILL_S = 86_400
AFTER_RESCUE_S = 86_400
REDUCING_SWAP_BPS = 10_100
WAD_PER_BPS = WAD // BPS
_TERMS_HASH = "0x" + "7e" * 32


@dataclass(slots=True)
class Bucket:
    """A token bucket in parts of NAV, refilled in a day."""

    used_wad: int = 0
    updated_at: int = 0

    def left_down(self, now: int, capacity_wad: int) -> int:
        """What may still be used."""
        if not self.used_wad:
            return max(0, capacity_wad)
        used = self._used_up(now, capacity_wad)
        if not used:
            self.used_wad = 0  # full again, and it stays so until it is charged
        return max(0, capacity_wad - used)

    def charge(self, now: int, capacity_wad: int, amount: int, nav: int) -> None:
        """Take an amount (asset units) at a NAV, or revert."""
        part = -(-amount * WAD // nav) if nav > 0 else WAD * BPS
        used = self._used_up(now, capacity_wad)
        left = max(0, capacity_wad - used)
        if part > left:
            raise Reverted("BudgetExceeded", part, left)
        self.used_wad, self.updated_at = used + part, now

    def _used_up(self, now: int, capacity_wad: int) -> int:
        refilled = (now - self.updated_at) * capacity_wad // REFILL_S
        return max(0, self.used_wad - refilled)


@dataclass(slots=True)
class Traded:
    """What swaps of one rebalance came to, asset units."""

    turnover: int = 0
    bought_asset: int = 0
    bought_base: int = 0


@dataclass(slots=True)
class Mandate:
    """Terms, buckets and moments."""

    terms: Terms
    counter: int = 0
    beat_at: int = 0
    routine_at: int = 0
    rescued_at: int = 0
    paused: bool = False
    winding_down: bool = False
    routine: Bucket = field(default_factory=Bucket)
    protective: Bucket = field(default_factory=Bucket)
    turnover: Bucket = field(default_factory=Bucket)
    _shown: tuple[tuple[int, int, int], MandateState] | None = None
    """The state as it was last shown with every bucket full: it is the same until something of it changes."""

    def copied(self) -> "Mandate":
        """Another one in the same state."""
        return replace(
            self,
            routine=replace(self.routine),
            protective=replace(self.protective),
            turnover=replace(self.turnover),
        )

    @property
    def state_hash(self) -> str:
        """What the next intent must name."""
        return f"0x{self.counter:064x}"

    def state(self, now: int) -> MandateState:
        """As the lens reads it."""
        known = self._shown
        if (
            known is not None
            and not (self.routine.used_wad or self.protective.used_wad or self.turnover.used_wad)
            and known[0] == (self.counter, self.beat_at, self.routine_at)
            and known[1].paused is self.paused
            and known[1].winding_down is self.winding_down
            and known[1].terms is self.terms
        ):
            return known[1]
        caps, limits = self.terms.caps, self.terms.limits
        loss = limits.max_loss_per_day_bps * WAD_PER_BPS
        safe = caps.protective_loss_per_day_bps * WAD_PER_BPS
        sold = caps.turnover_per_day_bps * WAD_PER_BPS
        left = (
            self.routine.left_down(now, loss),
            self.protective.left_down(now, safe),
            self.turnover.left_down(now, sold),
        )
        state = MandateState(
            MANDATE_ADDRESS,
            self.terms,
            _TERMS_HASH,
            self.state_hash,
            self.beat_at,
            self.routine_at,
            self.paused,
            self.winding_down,
            True,
            Budget(Wad(left[0]), Wad(loss)),
            Budget(Wad(left[1]), Wad(safe)),
            Budget(Wad(left[2]), Wad(sold)),
        )
        full = left == (loss, safe, sold)
        self._shown = ((self.counter, self.beat_at, self.routine_at), state) if full else None
        return state

    def judge(
        self,
        now: int,
        before: Measure,
        after: Measure,
        traded: Traded,
        *,
        max_loss: int,
        moves: int,
        scale: int,
        unhedged: bool,
    ) -> None:
        """`Mandate._judge`: revert, or charge the bucket that pays.

        scale: base units x price WAD / scale = asset units. moves: of the rebalance, for the dust it may leave.
        """
        limits, caps, dust = self.terms.limits, self.terms.caps, moves * DUST_UNITS
        _check_health(before, after, limits.min_health_wad)
        _check_debt(before, after, limits.max_borrow_bps)
        reduces = _reduces(
            before, after, traded, least=limits.min_health_wad, dust=dust, scale=scale
        )
        if not reduces or before.health_wad >= limits.min_health_wad:
            self._check_delta(before, after, dust, scale, reduces=reduces)
        if not reduces:
            self._check_routine(now, before, after, traded, unhedged=unhedged)
        loss = max(0, before.gross + after.debt - after.gross - before.debt)
        if loss <= dust + -(-dust * before.price_wad // scale):
            return
        allowed = min(max_loss, before.nav * limits.max_loss_bps // BPS)
        if loss > allowed:
            raise Reverted("LossTooLarge", loss, allowed)
        bucket, bps = (
            (self.protective, caps.protective_loss_per_day_bps)
            if reduces
            else (self.routine, limits.max_loss_per_day_bps)
        )
        bucket.charge(now, bps * WAD_PER_BPS, loss, before.nav)

    def charge_fill(self, now: int, loss: int, nav: int) -> None:
        """A sale of options under their mark is charged to the routine bucket."""
        limits = self.terms.limits
        allowed = (nav + loss) * limits.max_loss_bps // BPS
        if loss > allowed:
            raise Reverted("LossTooLarge", loss, allowed)
        self.routine.charge(now, limits.max_loss_per_day_bps * WAD_PER_BPS, loss, nav + loss)

    def _check_delta(
        self, before: Measure, after: Measure, dust: int, scale: int, *, reduces: bool
    ) -> None:
        """V-06."""
        if reduces and self.winding_down:
            return
        caps = self.terms.caps
        gap, band = _delta_gap(after, caps, scale), after.nav * caps.delta_band_bps // BPS
        if gap <= band:
            return
        moved = abs(after.delta_base - before.delta_base) > dust
        gap_before = _delta_gap(before, caps, scale)
        if gap < gap_before or (not moved and reduces):
            return
        raise Reverted("DeltaOutsideBand", gap_before, gap, band)

    def _check_routine(
        self, now: int, before: Measure, after: Measure, traded: Traded, *, unhedged: bool
    ) -> None:
        caps = self.terms.caps
        if self.paused or self.winding_down:
            raise Reverted("PausedRiskRaised", before.health_wad, after.health_wad)
        if unhedged:
            raise Reverted("Unhedged")
        rescue = self.rescued_at + AFTER_RESCUE_S if self.rescued_at else 0
        until = max(self.routine_at + caps.cooldown_s, rescue)
        if now < until:
            raise Reverted("CooldownActive", until, now)
        self.routine_at = now
        age = max(0, now - before.price_at)
        if age > caps.max_oracle_age_s:
            raise Reverted("OracleTooOld", age, caps.max_oracle_age_s)
        options = self.terms.options
        for cap, was, value, whole, most in (
            ("Venue", before.lent, after.lent, after.gross, caps.max_venue_bps),
            (
                "Options",
                before.option_collateral,
                after.option_collateral,
                after.gross,
                caps.max_option_bps,
            ),
            ("Notional", before.notional, after.notional, after.nav, options.max_notional_bps),
            ("Vega", before.vega, after.vega, after.nav, options.max_vega_bps),
        ):
            if value > was and value * BPS > whole * most:
                raise Reverted("ShareTooLarge", cap, value, whole, most)
        if traded.turnover and before.nav:
            capacity = caps.turnover_per_day_bps * WAD_PER_BPS
            self.turnover.charge(now, capacity, traded.turnover, before.nav)


def _check_health(before: Measure, after: Measure, least: int) -> None:
    """V-05."""
    if after.health_wad < least and after.health_wad <= before.health_wad:
        raise Reverted("HealthTooLow", before.health_wad, after.health_wad, least)


def _check_debt(before: Measure, after: Measure, most_bps: int) -> None:
    """By token, not in sum: to owe less of one and more of the other is new debt in the other."""
    if after.debt_asset <= before.debt_asset and after.debt_base <= before.debt_base:
        return
    if after.debt * BPS > after.gross * most_bps:
        raise Reverted("BorrowRatioTooHigh", after.debt, after.gross, most_bps)


def _reduces(
    before: Measure, after: Measure, traded: Traded, *, least: int, dust: int, scale: int
) -> bool:
    """Every measured risk is at most what it was, and swaps are as large as what they repaid (V-08)."""
    grew = (
        after.health_wad < before.health_wad
        or after.debt_asset > before.debt_asset
        or after.debt_base > before.debt_base
        or after.notional > before.notional
        or after.vega > before.vega
        or after.option_collateral > before.option_collateral
        or abs(after.delta_base) > abs(before.delta_base) + dust
    )
    safer = after.health_wad > before.health_wad and after.health_wad // TOP_UP_TIMES <= least
    if grew or (after.lent > before.lent and not safer):
        return False
    if traded.bought_asset and traded.bought_base:
        return False
    repaid_base = max(0, before.debt_base - after.debt_base)
    repaid_asset = max(0, before.debt_asset - after.debt_asset)
    worth = -(-repaid_base * before.price_wad // scale)
    if traded.bought_base > worth * REDUCING_SWAP_BPS // BPS:
        return False
    return before.debt_base == 0 or traded.bought_asset <= repaid_asset * REDUCING_SWAP_BPS // BPS


def _delta_gap(measure: Measure, caps: Caps, scale: int) -> int:
    """Value of |net delta - target|, asset units, rounded up."""
    value = -(-abs(measure.delta_base) * measure.price_wad // scale)
    signed = value if measure.delta_base >= 0 else -value
    aim = measure.nav * abs(caps.delta_target_bps) // BPS
    return abs(signed - (aim if caps.delta_target_bps >= 0 else -aim))
