"""Settings in human units become the frozen policies of the stages, in integers."""

from decimal import ROUND_DOWN, Decimal

from keeper.config.risk import risk_inputs
from keeper.config.settings import Settings
from keeper.execution.fees import GasPolicy
from keeper.execution.funds import FundsPolicy
from keeper.execution.inclusion import UrgencyPolicy
from keeper.execution.machine import FollowPolicy
from keeper.execution.outbox import RelayPolicy
from keeper.execution.worth import WorthPolicy
from keeper.loop import TickRules
from keeper.model.decision import Lane
from keeper.model.policy import (
    GuardPolicy,
    MarketPolicy,
    MarkPolicy,
    ModulePolicy,
    OptionPolicy,
    PlanningPolicy,
    Policies,
    UpkeepPolicy,
)
from keeper.model.units import Bps, Raw


def policies(settings: Settings, asset_decimals: int) -> Policies:
    """Policies of the pure stages; amounts in whole assets become token units, rounded down."""
    market, guard = settings.market, settings.guard
    return Policies(
        market=MarketPolicy(
            chain_id=settings.chain_id,
            max_feed_age_s=market.max_feed_age_s,
            max_deviation_bps=Bps(market.max_deviation_bps),
            max_spot_deviation_bps=Bps(market.max_spot_deviation_bps),
        ),
        planning=planning_policy(settings, asset_decimals),
        guard=GuardPolicy(
            max_routine_base_fee_wei=_scaled_down(guard.max_routine_base_fee_gwei, 9),
            max_loss_bps=Bps(guard.max_loss_bps),
            min_keeper_balance_wei=_scaled_down(guard.min_keeper_balance_eth, 18),
        ),
        upkeep=upkeep_policy(settings),
        risk=risk_inputs(settings),
        modules=ModulePolicy(silence_refuses=settings.risk.silent_module_refuses),
    )


def planning_policy(settings: Settings, asset_decimals: int) -> PlanningPolicy:
    """How targets become plans; plans are sized to pass the guard's own limit on loss."""
    planning, options = settings.planning, settings.options
    return PlanningPolicy(
        slippage_bps=Bps(planning.slippage_bps),
        min_trade=Raw(_scaled_down(planning.min_trade, asset_decimals)),
        max_swap=Raw(_scaled_down(planning.max_swap, asset_decimals)),
        idle_reserve=Raw(_scaled_down(planning.idle_reserve, asset_decimals)),
        loss_margin_bps=Bps(planning.loss_margin_bps),
        max_loss_bps=Bps(settings.guard.max_loss_bps),
        options=OptionPolicy(**options.model_dump()),
        order_tolerance_bps=planning.order_tolerance_bps,
        option_tolerance_bps=planning.option_tolerance_bps,
        resize_bps=planning.resize_bps,
        risk_aversion=planning.risk_aversion,
        waiting_days=planning.waiting_days,
        slice_impact_bps=planning.slice_impact_bps,
        slice_horizon_s=planning.slice_horizon_s,
        slice_every_s=planning.slice_every_s,
        protective_slice_risk=planning.protective_slice_risk,
    )


def upkeep_policy(settings: Settings) -> UpkeepPolicy:
    """Which work is due."""
    upkeep = settings.upkeep
    return UpkeepPolicy(
        beat_after_bps=Bps(upkeep.beat_after_bps),
        settle=upkeep.settle,
        options=upkeep.options,
        marks=MarkPolicy(upkeep.marks, upkeep.mark_band_bps, upkeep.mark_refresh_bps),
    )


def tick_rules(settings: Settings, *, dry_run: bool) -> TickRules:
    """Rules of the loop."""
    tick = settings.tick
    return TickRules(
        deadline_s=tick.deadline_s,
        max_head_age_s=tick.max_head_age_s,
        max_head_ahead_s=tick.max_head_ahead_s,
        cooldown_blocks=tick.cooldown_blocks,
        max_reverts=tick.max_reverts,
        breaker_blocks=tick.breaker_blocks,
        stop_patience_s=tick.stop_patience_s,
        worth=worth_policy(settings),
        dry_run=dry_run,
    )


def gas_policy(settings: Settings) -> GasPolicy:
    """What the executor pays."""
    gas = settings.gas
    return GasPolicy(
        routine_ceiling_wei=_scaled_down(gas.max_fee_gwei, 9),
        routine_tip_wei=_scaled_down(gas.tip_gwei, 9),
        protective_tip_wei=_scaled_down(gas.protective_tip_gwei, 9),
        bump_bps=gas.bump_bps,
        limit_margin_bps=gas.limit_margin_bps,
        cap_floor_wei=_scaled_down(gas.cap_floor_gwei, 9),
    )


def follow_policy(settings: Settings) -> FollowPolicy:
    """How long the executor is patient."""
    follow = settings.follow
    return FollowPolicy(
        bump_after_blocks=follow.bump_after_blocks,
        lost_after_blocks=follow.drop_after_blocks,
        confirm_blocks=follow.confirm_blocks,
        finality_blocks=follow.finality_blocks,
    )


def urgency_policy(settings: Settings) -> UrgencyPolicy:
    """How sure protection must be to be in by its deadline."""
    lanes = settings.lanes
    return UrgencyPolicy(lanes.inclusion_probability, lanes.block_time_s)


def worth_policy(settings: Settings) -> WorthPolicy:
    """How lateness of protection is valued."""
    lanes = settings.lanes
    price = lanes.native_price
    return WorthPolicy(
        volatility=lanes.volatility,
        late_s=lanes.late_s,
        native_price_wad=None if price is None else _scaled_down(price, 18),
    )


def funds_policy(settings: Settings) -> FundsPolicy:
    """When an account is too poor."""
    lanes = settings.lanes
    return FundsPolicy(
        protective_floor=lanes.protective_floor,
        routine_floor_wei=_scaled_down(lanes.routine_floor_eth, 18),
        gas_of_protection=lanes.gas_of_protection,
        tip_wei=_scaled_down(settings.gas.protective_tip_gwei, 9),
    )


def relay_policy(settings: Settings) -> RelayPolicy:
    """What goes to the private relay, and for how long only there."""
    relay = settings.relay
    return RelayPolicy(frozenset(Lane(name) for name in relay.lanes), relay.public_after_blocks)


def _scaled_down(value: Decimal, decimals: int) -> int:
    return int((value * 10**decimals).to_integral_value(ROUND_DOWN))
