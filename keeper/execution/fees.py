"""EIP-1559 fees of an attempt and of its replacements. Pure; all amounts in wei a gas."""

from dataclasses import dataclass

from keeper.model.attempt import Attempt
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
    cap_floor_wei: int = 10**9
    """Least max fee of a first attempt: one priced in a cheap hour would block what comes after it."""

    def tip(self, lane: Lane) -> int:
        """First tip of a lane."""
        return self.protective_tip_wei if lane is Lane.PROTECTIVE else self.routine_tip_wei

    def greatest_tip(self, lane: Lane, base_fee_wei: int) -> int:
        """Tip a lane climbs to where no value at risk is known."""
        return max(self.tip_growth * self.tip(lane), 2 * base_fee_wei)

    def ceiling(self, lane: Lane) -> int | None:
        """Greatest max fee of a lane; None for no limit (K-06: a plain cap never delays protection)."""
        return None if lane is Lane.PROTECTIVE else self.routine_ceiling_wei


@dataclass(frozen=True, slots=True)
class Ask:
    """What is to be priced."""

    lane: Lane
    gas_limit: int
    value_at_risk_wei: int = 0
    """Expected loss if it comes late; 0 if nobody knows. Only protection has one (K-06)."""
    tip_wei: int = 0
    """Least tip that the recent blocks make likely enough to be in in time."""

    @property
    def worth_wei(self) -> int:
        """Greatest max fee a gas that the value at risk is worth, rounded down."""
        return self.value_at_risk_wei // self.gas_limit


@dataclass(frozen=True, slots=True)
class Fees:
    """maxFeePerGas and maxPriorityFeePerGas."""

    cap_wei: int
    tip_wei: int


def first_fees(base_fee_wei: int, lane: Lane, policy: GasPolicy, tip_wei: int = 0) -> Fees | None:
    """2 x base + tip, under the lane's ceiling; None if the ceiling leaves no room for base + tip."""
    tip = max(policy.tip(lane), tip_wei)
    cap = max(2 * base_fee_wei + tip, policy.cap_floor_wei)
    ceiling = policy.ceiling(lane)
    if ceiling is None or cap <= ceiling:
        return Fees(cap, tip)
    tip = min(tip, max(policy.tip(lane), ceiling - base_fee_wei))
    return Fees(ceiling, tip) if base_fee_wei + tip <= ceiling else None


def most(base_fee_wei: int, ask: Ask, balance_wei: int, policy: GasPolicy) -> Fees:
    """Greatest cap and tip a transaction may climb to; no replacement goes over them.

    Protection climbs to the value at risk and no further, but is never held under twice the base fee and its
    tip if the account has it: no plain cap delays it (K-06), and a block may order by caps. Without a value, and
    on the routine lane, a share of the balance is the bound.

    Whatever was signed under them earlier and is too cheap for the present base fee can be outbid under
    them: they follow the base fee up. What cannot be outbid pays what blocks ask, and is mined.
    """
    first = policy.tip(ask.lane)
    purse = balance_wei // ask.gas_limit
    clears = _clears(base_fee_wei, max(first, ask.tip_wei if ask.lane is Lane.PROTECTIVE else 0))
    tip = policy.greatest_tip(ask.lane, base_fee_wei)
    ceiling = policy.ceiling(ask.lane)
    if ceiling is None and ask.worth_wei:
        usual = min(
            2 * base_fee_wei + max(first, ask.tip_wei), purse * policy.balance_share_bps // 10_000
        )
        cap = min(purse, max(ask.worth_wei, clears, usual))
        return Fees(cap, max(first, min(cap, max(tip, ask.worth_wei))))
    cap = min(purse, max(purse * policy.balance_share_bps // 10_000, clears))
    return Fees(cap if ceiling is None else min(cap, ceiling), tip)


def most_to_cancel(
    base_fee_wei: int, gas_limit: int, last: Attempt, balance_wei: int, policy: GasPolicy
) -> Fees:
    """Greatest cap and tip of the empty transaction in the place of `last`.

    It buys nothing but the nonce, so value at risk and ceilings are not its bounds: they are about what would
    have been done, at many times its gas. It may outbid what is in flight, whatever that pays, if a share of the
    balance pays for the little gas it takes. Once it is out itself, its tip climbs no further than any other.
    """
    tip = policy.greatest_tip(last.lane, base_fee_wei)
    if not last.cancels:
        tip = max(tip, least_replacement(Fees(last.max_fee_wei, last.tip_wei), policy).tip_wei)
    return Fees(balance_wei * policy.balance_share_bps // 10_000 // gas_limit, tip)


def opening(base_fee_wei: int, ask: Ask, balance_wei: int, policy: GasPolicy) -> Fees | None:
    """Fees of a first attempt within its bounds; None if the balance does not clear the next block.

    Raises nothing for a ceiling: ask `first_fees` before.
    """
    bound = most(base_fee_wei, ask, balance_wei, policy)
    first = first_fees(base_fee_wei, ask.lane, policy, min(ask.tip_wei, bound.tip_wei))
    if first is None:
        return None
    valued = ask.lane is Lane.PROTECTIVE and ask.worth_wei > 0
    share_bps = 10_000 if valued else policy.balance_share_bps
    fees = affordable(first, base_fee_wei, ask.gas_limit, balance_wei, share_bps)
    if fees is None or not valued:
        return fees
    cap = min(fees.cap_wei, bound.cap_wei)
    return Fees(cap, min(fees.tip_wei, cap))


def bumped(
    last: Fees, base_fee_wei: int, bound: Fees, policy: GasPolicy, tip_wei: int = 0
) -> Fees | None:
    """Fees a node accepts as a replacement of `last`; None if they would be over the bound.

    tip_wei: what urgency asks for, paid as far as the bound allows.
    """
    least = least_replacement(last, policy)
    if least.cap_wei > bound.cap_wei or least.tip_wei > bound.tip_wei:
        return None
    tip = max(least.tip_wei, min(tip_wei, bound.tip_wei))
    cap = min(max(least.cap_wei, 2 * base_fee_wei + tip), bound.cap_wei)
    return Fees(cap, min(tip, cap))


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
