"""EIP-1559 fees of an attempt and of its replacements. Pure; all amounts in wei a gas."""

from dataclasses import dataclass

from keeper.model.decision import Lane

MIN_BUMP_BPS = 1_250
"""Nodes refuse a replacement that raises tip or cap by less than 10 %; 12.5 % leaves room for rounding."""


@dataclass(frozen=True, slots=True)
class GasPolicy:
    """What the keeper pays."""

    routine_ceiling_wei: int = 200 * 10**9
    """Greatest max fee a gas of a routine transaction; protective ones have none."""
    routine_tip_wei: int = 10**9
    protective_tip_wei: int = 3 * 10**9
    bump_bps: int = MIN_BUMP_BPS
    limit_margin_bps: int = 2_500
    """Gas limit over the estimate."""

    def tip(self, lane: Lane) -> int:
        """First tip of a lane."""
        return self.protective_tip_wei if lane is Lane.PROTECTIVE else self.routine_tip_wei

    def ceiling(self, lane: Lane) -> int | None:
        """Greatest max fee of a lane; None for no limit (K-06: a plain cap never delays protection)."""
        return None if lane is Lane.PROTECTIVE else self.routine_ceiling_wei


@dataclass(frozen=True, slots=True)
class Fees:
    """maxFeePerGas and maxPriorityFeePerGas."""

    cap_wei: int
    tip_wei: int


def first_fees(base_fee_wei: int, lane: Lane, policy: GasPolicy) -> Fees | None:
    """2 x base + tip, under the lane's ceiling; None if the ceiling leaves no room for base + tip."""
    tip = policy.tip(lane)
    cap = 2 * base_fee_wei + tip
    ceiling = policy.ceiling(lane)
    if ceiling is None or cap <= ceiling:
        return Fees(cap, tip)
    return Fees(ceiling, tip) if base_fee_wei + tip <= ceiling else None


def bumped(last: Fees, base_fee_wei: int, lane: Lane, policy: GasPolicy) -> Fees | None:
    """Fees a node accepts as a replacement of `last`; None if the lane's ceiling forbids them."""
    factor = 10_000 + max(policy.bump_bps, MIN_BUMP_BPS)
    tip = _up(last.tip_wei, factor)
    least = max(_up(last.cap_wei, factor), tip)
    wanted = max(least, 2 * base_fee_wei + tip)
    ceiling = policy.ceiling(lane)
    if ceiling is None or wanted <= ceiling:
        return Fees(wanted, tip)
    return Fees(ceiling, tip) if least <= ceiling else None


def at_least(fees: Fees, floor: Fees) -> Fees:
    """Component-wise greater of two."""
    return Fees(max(fees.cap_wei, floor.cap_wei), max(fees.tip_wei, floor.tip_wei))


def affordable(fees: Fees, base_fee_wei: int, gas_limit: int, balance_wei: int) -> Fees | None:
    """`fees`, with the cap lowered to what the account can pay if that still clears the next block.

    None if not even one rise of the base fee (12.5 %) and the tip can be paid.
    """
    if gas_limit * fees.cap_wei <= balance_wei:
        return fees
    cap = balance_wei // gas_limit
    return Fees(cap, fees.tip_wei) if cap >= _up(base_fee_wei, 11_250) + fees.tip_wei else None


def with_margin(estimate: int, policy: GasPolicy) -> int:
    """Gas limit for an estimate, rounded up."""
    return _up(estimate, 10_000 + policy.limit_margin_bps)


def _up(value: int, factor_bps: int) -> int:
    return -(-value * factor_bps // 10_000)
