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
    balance_share_bps: int = 2_500
    """Greatest share of the account's balance one transaction may cost, as far as that clears a block."""
    tip_growth: int = 10
    """Greatest tip over the first one; twice the base fee where that is more."""

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


def most(
    base_fee_wei: int, lane: Lane, gas_limit: int, balance_wei: int, policy: GasPolicy
) -> Fees:
    """Greatest cap and tip a transaction of a lane may climb to; no replacement goes over them.

    Whatever was signed under them earlier and is too cheap for the present base fee can be outbid under
    them: they follow the base fee up. What cannot be outbid pays what blocks ask, and is mined.
    """
    first = policy.tip(lane)
    purse = balance_wei // gas_limit
    share = purse * policy.balance_share_bps // 10_000
    cap = min(purse, max(share, _clears(base_fee_wei, first)))
    ceiling = policy.ceiling(lane)
    return Fees(
        cap if ceiling is None else min(cap, ceiling),
        max(policy.tip_growth * first, 2 * base_fee_wei),
    )


def bumped(last: Fees, base_fee_wei: int, bound: Fees, policy: GasPolicy) -> Fees | None:
    """Fees a node accepts as a replacement of `last`; None if they would be over the bound."""
    least = least_replacement(last, policy)
    if least.cap_wei > bound.cap_wei or least.tip_wei > bound.tip_wei:
        return None
    wanted = max(least.cap_wei, 2 * base_fee_wei + least.tip_wei)
    return Fees(min(wanted, bound.cap_wei), least.tip_wei)


def least_replacement(last: Fees, policy: GasPolicy) -> Fees:
    """Lowest fees that replace `last` in a pool."""
    factor = 10_000 + max(policy.bump_bps, MIN_BUMP_BPS)
    tip = _up(last.tip_wei, factor)
    return Fees(max(_up(last.cap_wei, factor), tip), tip)


def at_least(fees: Fees, floor: Fees) -> Fees:
    """Component-wise greater of two."""
    return Fees(max(fees.cap_wei, floor.cap_wei), max(fees.tip_wei, floor.tip_wei))


def affordable(
    fees: Fees, base_fee_wei: int, gas_limit: int, balance_wei: int, share_bps: int = 10_000
) -> Fees | None:
    """`fees`, with the cap lowered to a share of the balance, or to what still clears the next block.

    None if the whole balance does not pay one rise of the base fee (12.5 %) and the tip: a share never
    delays what the account can pay at the market's own price.
    """
    purse = balance_wei // gas_limit
    share = purse * share_bps // 10_000
    if fees.cap_wei <= share:
        return fees
    clears = _clears(base_fee_wei, fees.tip_wei)
    if clears > purse:
        return fees if fees.cap_wei <= purse else None
    return Fees(min(fees.cap_wei, max(share, clears)), fees.tip_wei)


def with_margin(estimate: int, policy: GasPolicy) -> int:
    """Gas limit for an estimate, rounded up."""
    return _up(estimate, 10_000 + policy.limit_margin_bps)


def _clears(base_fee_wei: int, tip_wei: int) -> int:
    """Cap that pays the tip even after one rise of the base fee (12.5 %)."""
    return _up(base_fee_wei, 11_250) + tip_wei


def _up(value: int, factor_bps: int) -> int:
    return -(-value * factor_bps // 10_000)
