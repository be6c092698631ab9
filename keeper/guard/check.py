"""Every reason why a plan must not be sent.

The first group mirrors the mandate, so that what the vault would refuse is never sent. The second is the
keeper's own. Gas rules bind the routine lane only: a protective plan never waits for cheaper gas.
"""

from keeper.guard.rehearsal import PAUSED_SWAP_BPS, Rehearsal, rehearse
from keeper.model.decision import Lane, Plan, Refusal, Verdict
from keeper.model.market import MarketState
from keeper.model.policy import GuardPolicy
from keeper.model.risk import RiskReport
from keeper.model.units import BPS, wad_float


def check(plan: Plan, market: MarketState, risk: RiskReport, policy: GuardPolicy) -> Verdict:
    """All reasons against the plan; an empty plan has none because nothing is sent."""
    if plan.empty:
        return Verdict(())
    rehearsal = rehearse(plan, market)
    return Verdict(
        (
            *_access(market),
            *rehearsal.refusals,
            *_price(plan, market, rehearsal),
            *_health(market, risk, rehearsal),
            *_debt(market, rehearsal),
            *_paused(market, rehearsal),
            *_loss(plan, market, rehearsal, policy),
            *_gas(plan, market, policy),
        )
    )


def _access(market: MarketState) -> list[Refusal]:
    readings = market.readings
    found = []
    if not readings.keeper_allowed:
        message = f"{readings.keeper} is not a keeper of vault {readings.vault}"
        found.append(Refusal("keeper", message))
    if not readings.venue_readable:
        message = f"lending venue behind {readings.lending_adapter} could not be read"
        found.append(Refusal("venue", message))
    return found


def _price(plan: Plan, market: MarketState, rehearsal: Rehearsal) -> list[Refusal]:
    """V-07, off-chain: no move with price exposure at a price that cannot be trusted."""
    found = []
    if rehearsal.trades_price and not market.tradable:
        found.append(Refusal("price", "; ".join(market.faults)))
    if rehearsal.trades_price and not plan.trades_price:
        found.append(Refusal("mislabelled", "the plan trades on the price and says it does not"))
    return found


def _health(market: MarketState, risk: RiskReport, rehearsal: Rehearsal) -> list[Refusal]:
    """V-05, off-chain: health ends at the minimum or higher than before."""
    if not rehearsal.trades_price and not market.tradable:
        return []  # debt only falls and collateral only rises; there is no price to measure it with
    least = market.readings.limits.min_health_wad
    before, after = rehearsal.before.health_wad(), rehearsal.after.health_wad()
    if after >= least or after > max(before, risk.health_wad):
        return []
    message = (
        f"health would end at {wad_float(after):.4f} from {wad_float(before):.4f}, "
        f"the mandate wants {wad_float(least):.4f} or more than before"
    )
    return [Refusal("min-health", message)]


def _debt(market: MarketState, rehearsal: Rehearsal) -> list[Refusal]:
    before, after = rehearsal.before, rehearsal.after
    most = market.readings.limits.max_borrow_bps
    debt, gross = after.debt_scaled(), after.gross_scaled()
    if debt <= before.debt_scaled() or debt * BPS <= most * gross:
        return []
    ratio = f"{-(-debt * BPS // gross)} bps of gross assets" if gross else "owed against nothing"
    return [Refusal("borrow-ratio", f"debt would be {ratio}, the mandate allows {most} bps")]


def _paused(market: MarketState, rehearsal: Rehearsal) -> list[Refusal]:
    """V-08, off-chain: under pause a plan may only reduce."""
    if not market.readings.paused:
        return []
    before, after = rehearsal.before, rehearsal.after
    found = []
    owes_more = after.asset.debt > before.asset.debt or after.base.debt > before.base.debt
    if owes_more or after.health_wad() < before.health_wad():
        found.append(Refusal("paused", "the vault is paused and the plan would raise its risk"))
    repaid = before.debt_scaled() - after.debt_scaled()
    if rehearsal.bought_scaled * BPS > max(0, repaid) * PAUSED_SWAP_BPS:
        found.append(
            Refusal("paused", "the vault is paused and the plan swaps more than it repays")
        )
    return found


def _loss(
    plan: Plan, market: MarketState, rehearsal: Rehearsal, policy: GuardPolicy
) -> list[Refusal]:
    """V-04, off-chain: the accepted loss fits mandate, bucket and the keeper's own limit."""
    readings = market.readings
    if not rehearsal.trades_price and plan.max_loss == 0:
        return []
    nav = max(0, rehearsal.before.nav_down())
    bounds = (
        ("max-loss", nav * readings.limits.max_loss_bps // BPS, "the mandate allows a rebalance"),
        ("loss-budget", readings.loss_budget_left, "the loss budget has left"),
        ("keeper-max-loss", nav * policy.max_loss_bps // BPS, "the keeper's own limit is"),
    )
    found = [
        Refusal(rule, f"accepts a loss of {plan.max_loss} asset units, {whose} {bound}")
        for rule, bound, whose in bounds
        if plan.max_loss > bound
    ]
    if plan.expected_loss > plan.max_loss:
        message = f"expects to lose {plan.expected_loss} asset units and accepts {plan.max_loss}"
        found.append(Refusal("expected-loss", message))
    return found


def _gas(plan: Plan, market: MarketState, policy: GuardPolicy) -> list[Refusal]:
    """Routine plans wait for cheap gas and leave a reserve for protective ones (K-06, K-11)."""
    if plan.lane is Lane.PROTECTIVE:
        return []
    readings = market.readings
    found = []
    if readings.block.base_fee_wei > policy.max_routine_base_fee_wei:
        message = (
            f"base fee {readings.block.base_fee_wei / 1e9:.2f} gwei, routine plans wait above "
            f"{policy.max_routine_base_fee_wei / 1e9:.2f} gwei"
        )
        found.append(Refusal("base-fee", message))
    if readings.keeper_balance_wei < policy.min_keeper_balance_wei:
        message = (
            f"the keeper holds {readings.keeper_balance_wei / 1e18:.6f} ETH, routine plans leave "
            f"{policy.min_keeper_balance_wei / 1e18:.6f} ETH for protection"
        )
        found.append(Refusal("keeper-balance", message))
    return found
