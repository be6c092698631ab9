"""Work that is due whatever the strategy wants: a heartbeat, a settlement, what options need of anybody."""

from keeper.model.decision import Beat, Lane, Settle, Target, Work
from keeper.model.market import MarketState, Readings
from keeper.model.policy import UpkeepPolicy
from keeper.model.risk import RiskReport
from keeper.model.units import BPS
from keeper.planning.chores import due_chore


def due_work(
    market: MarketState, risk: RiskReport, target: Target, policy: UpkeepPolicy
) -> Work | None:
    """What is due now, the beat first, or nothing.

    Nothing while the vault needs protection. A beat would say that all is well and keep others from
    protecting it in the keeper's place; a settlement would take idle assets that debt is repaid from.
    """
    readings = market.readings
    if _endangered(readings, risk, target):
        return None
    if market.tradable and _beat_due(readings, policy):
        return Beat(readings.mandate.address, readings.mandate.last_beat)
    if policy.settle and _settlement_due(readings):
        return Settle(readings.depositors.epoch)
    return due_chore(market, target, policy.marks) if policy.options else None


def _endangered(readings: Readings, risk: RiskReport, target: Target) -> bool:
    """The strategy wants it safer, or the mandate calls it an emergency."""
    wanted = readings.mandate.terms.emergency.emergency_health_wad
    if target.lane is Lane.PROTECTIVE and target.health_wad is not None:
        wanted = max(wanted, target.health_wad)
    return risk.health_wad < wanted


def _beat_due(readings: Readings, policy: UpkeepPolicy) -> bool:
    """A part of the silence that others wait for has passed; every rebalance beats as well."""
    silent = readings.block.timestamp - readings.mandate.last_beat
    allowed = readings.mandate.terms.emergency.silence_s
    return silent * BPS >= allowed * policy.beat_after_bps


def _settlement_due(readings: Readings) -> bool:
    """The epoch is over, it can be priced, and it would settle something."""
    who = readings.depositors
    if readings.block.timestamp < who.due_at or who.marks is None:
        return False
    deposits = who.pending_deposits > 0 and not who.halted and who.marks.open
    return deposits or who.pending_redemptions > 0
