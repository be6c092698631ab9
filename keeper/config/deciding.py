"""Settings of what is decided: which strategy, on which prices, how it becomes a plan, within which limits."""

from decimal import Decimal
from typing import Any

from keeper.config.fields import Section, setting


class StrategySettings(Section):
    """Which strategy, and its parameters."""

    name: str = setting("collateral_guard", "entry point in group gimbal.strategies")
    parameters: dict[str, Any] = setting(
        {}, "fields of the strategy's class; ratios such as health as decimals", unit="by name"
    )
    time_s: float = setting(
        1.0, "time for one decision of a strategy from another package", unit="s", ge=0.01, le=10
    )
    memory_mb: int = setting(
        4_096, "address space of a strategy from another package", unit="MB", ge=256, le=65_536
    )


class MarketSettings(Section):
    """When readings may be believed."""

    max_feed_age_s: int = setting(4_500, "greatest age of an oracle answer", unit="s", gt=0)
    max_deviation_bps: int = setting(
        300,
        "greatest difference between oracle and time-weighted price",
        unit="bps",
        gt=0,
        le=5_000,
    )
    max_spot_deviation_bps: int = setting(
        300, "greatest difference between oracle and spot price", unit="bps", gt=0, le=5_000
    )


class PlanningSettings(Section):
    """How a target becomes moves."""

    slippage_bps: int = setting(
        50, "slippage of a swap on top of fee and impact", unit="bps", ge=0, le=1_000
    )
    min_trade: Decimal = setting(Decimal(100), "smallest change worth making", unit="asset", ge=0)
    max_swap: Decimal = setting(
        Decimal(500_000), "largest single swap; the rest follows on later ticks", unit="asset", gt=0
    )
    idle_reserve: Decimal = setting(
        Decimal(0), "idle asset that routine moves leave alone", unit="asset", ge=0
    )
    loss_margin_bps: int = setting(
        50,
        "intent's maximum loss over the expected loss",
        unit="bps of traded value",
        ge=0,
        le=1_000,
    )


class GuardSettings(Section):
    """The keeper's own limits."""

    max_routine_base_fee_gwei: Decimal = setting(
        Decimal(100), "routine plans wait above this base fee", unit="gwei", gt=0
    )
    max_loss_bps: int = setting(100, "NAV loss of one plan", unit="bps of NAV", gt=0, le=2_000)
    min_keeper_balance_eth: Decimal = setting(
        Decimal("0.02"), "routine plans stop below this balance", unit="ETH", ge=0
    )


class UpkeepSettings(Section):
    """Work that is due whatever the strategy wants."""

    beat_after_bps: int = setting(
        5_000,
        "part of the mandate's silence after which the heart is beaten, if no rebalance has",
        unit="bps",
        gt=0,
        le=9_000,
    )
    settle: bool = setting(True, "settle an epoch that is over and that somebody waits for")


class RiskSettings(Section):
    """What risk is measured with, and who else may object."""

    volatility: float | None = setting(
        None,
        "forecast for base; without it nothing that needs one is measured",
        unit="a year, 0.65 is 65 %",
        gt=0,
        le=10,
    )
    block_time_s: float = setting(12.0, "time between blocks", unit="s", gt=0, le=600)
    oracle_latency_s: float = setting(
        30.0, "from a move of the market to the oracle's answer", unit="s", ge=0, le=86_400
    )
    calm_base_fee_gwei: Decimal = setting(
        Decimal(20), "base fee above which inclusion counts as slower", unit="gwei", gt=0
    )
    modules: tuple[str, ...] = setting(
        (), "third-party modules that may veto routine plans", unit="entry points in gimbal.risk"
    )
    module_time_s: float = setting(
        0.25, "time for all modules' answers on a routine plan together", unit="s", ge=0.01, le=2
    )
    silent_module_refuses: bool = setting(
        True, "a module without a usable answer counts as a veto of routine plans"
    )
