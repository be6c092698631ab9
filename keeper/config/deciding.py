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
    risk_aversion: float = setting(
        3.0,
        "relative, of the depositors: a routine change of exposure is made when leaving it would cost more;"
        " 0 makes every one",
        unit="-",
        ge=0,
        le=100,
    )
    waiting_days: float = setting(
        30.0, "how long what is not done is expected to be left", unit="d", gt=0, le=365
    )
    slice_impact_bps: int = setting(
        100, "a routine change that moves the pool by more is sliced", unit="bps", ge=1, le=10_000
    )
    slice_horizon_s: int = setting(
        3_600, "time over which a change is sliced", unit="s", ge=12, le=86_400
    )
    slice_every_s: int = setting(60, "from one slice to the next", unit="s", ge=1, le=3_600)
    protective_slice_risk: float = setting(
        0.0,
        "protection is sliced if the risk left after its first slice is at most this; 0 never slices it",
        unit="probability",
        ge=0,
        le=0.01,
    )
    resize_bps: int = setting(
        1_000,
        "smaller changes of supplies, loans and options bought are left",
        unit="bps of what is held",
        ge=0,
        le=10_000,
    )
    order_tolerance_bps: int = setting(
        100, "from the mark to the limit of an order at another venue", unit="bps", ge=0, le=2_000
    )
    option_tolerance_bps: int = setting(
        500,
        "room in an option's limit, beside the tolerance",
        unit="bps of its volatility",
        ge=0,
        le=5_000,
    )


class OptionSettings(Section):
    """How written options are sold and bought back; the mandate's limits bind as well."""

    start_over_mark_bps: int = setting(
        1_500, "a sale starts so far over mark and market", unit="bps", ge=0, le=20_000
    )
    spot_margin_bps: int = setting(
        100, "how far the price may move until a sale is in", unit="bps", ge=0, le=2_000
    )
    volatility_margin_bps: int = setting(
        200, "the same for volatility", unit="bps of itself", ge=0, le=5_000
    )
    buy_back_over_mark_bps: int = setting(
        300, "a purchase ends at most so far over the mark", unit="bps", ge=0, le=5_000
    )
    start_window_s: int = setting(
        3_600,
        "each span of this length has one hidden instant from which series are sold; 0 sells at once",
        unit="s",
        ge=0,
        le=86_400,
    )
    limit_margin_bps: int = setting(
        50, "room left under each limit of the mandate", unit="bps of it", ge=0, le=5_000
    )
    delta_margin_bps: int = setting(
        100, "room left to the mandate's bounds of delta", unit="bps", ge=0, le=2_500
    )
    resize_bps: int = setting(
        500, "smaller changes of a series are left", unit="bps of it", ge=0, le=10_000
    )
    max_writes: int = setting(2, "auctions opened by one plan", unit="count", ge=1, le=8)


class GuardSettings(Section):
    """The keeper's own limits."""

    max_routine_base_fee_gwei: Decimal = setting(
        Decimal(100), "routine plans wait above this base fee", unit="gwei", gt=0
    )
    max_loss_bps: int = setting(
        100,
        "NAV loss of one routine plan; protection has the mandate's",
        unit="bps of NAV",
        gt=0,
        le=2_000,
    )
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
    options: bool = setting(
        True, "do what options need of anybody: series, observations, settlement, clearing away"
    )
    marks: bool = setting(
        True, "post volatility marks, where this keeper's account is the oracle's poster"
    )
    mark_band_bps: int = setting(
        200,
        "marks further from the market than this are posted anew",
        unit="bps of volatility",
        ge=10,
        le=5_000,
    )
    mark_refresh_bps: int = setting(
        5_000,
        "part of the marks' age limit after which they are posted",
        unit="bps",
        gt=0,
        le=9_000,
    )


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
