"""The contracts' hard bounds, mirrored, so that a file outside them is refused before any transaction.

A test reads the bounds from the contracts' sources and compares. An end that depends on another parameter is None here
and checked in `keeper.deployment.violations`.
"""

from dataclasses import dataclass
from decimal import Decimal

from keeper.deployment.parameters import scaled
from keeper.model.units import WAD

MINUTE, HOUR, DAY = 60, 3_600, 86_400
BPS = 10_000


@dataclass(frozen=True, slots=True)
class Bound:
    """least <= value x unit <= most, as `contract` enforces it on `parameter`."""

    contract: str
    parameter: str
    field: str
    least: int | None
    most: int | None
    unit: int = 1

    def problem(self, value: int | Decimal) -> str | None:
        """Why a value of the file is refused; None if it is not."""
        exact = scaled(value, self.unit)
        if self.least is not None and exact < self.least:
            return f"{self.field}: {value} is below {self._shown(self.least)}, the least {self._by}"
        if self.most is not None and exact > self.most:
            return f"{self.field}: {value} is above {self._shown(self.most)}, the most {self._by}"
        return None

    @property
    def _by(self) -> str:
        return f"that {self.contract} takes for {self.parameter}"

    def _shown(self, end: int) -> str:
        return f"{Decimal(end) / self.unit:f}" if self.unit != 1 else str(end)


TERM_BOUNDS = (
    Bound("TermBounds", "minHealthWad", "limits.min_health", 101 * WAD // 100, 10 * WAD, WAD),
    Bound("TermBounds", "maxSwapLossBps", "limits.max_swap_loss_bps", 100, 300),
    Bound("TermBounds", "maxLossBps", "limits.max_loss_bps", 100, 500),
    Bound("TermBounds", "maxLossPerDayBps", "limits.max_loss_per_day_bps", 10, 1_000),
    Bound("TermBounds", "maxBorrowBps", "limits.max_borrow_bps", 0, 9_300),
    Bound("TermBounds", "deltaTargetBps", "caps.delta_target_bps", -50_000, 100_000),
    Bound("TermBounds", "deltaBandBps", "caps.delta_band_bps", 100, 100_000),
    Bound("TermBounds", "maxVenueBps", "caps.max_venue_bps", 0, BPS),
    Bound("TermBounds", "maxOptionBps", "caps.max_option_bps", 0, BPS),
    Bound("TermBounds", "turnoverPerDayBps", "caps.turnover_per_day_bps", 0, 200_000),
    Bound("TermBounds", "cooldown", "caps.cooldown_s", 0, DAY),
    Bound("TermBounds", "maxOracleAge", "caps.max_oracle_age_s", MINUTE, 26 * HOUR),
    Bound("TermBounds", "protectiveLossPerDayBps", "caps.protective_loss_per_day_bps", 100, 2_000),
    Bound(
        "TermBounds",
        "emergencyHealthWad",
        "emergency.emergency_health",
        1_005 * WAD // 1_000,
        None,
        WAD,
    ),
    Bound(
        "TermBounds",
        "criticalHealthWad",
        "emergency.critical_health",
        1_005 * WAD // 1_000,
        None,
        WAD,
    ),
    Bound("TermBounds", "silence", "emergency.silence_s", MINUTE, DAY),
    Bound("TermBounds", "sliceBps", "emergency.slice_bps", 100, 5_000),
    Bound("TermBounds", "rescueCooldown", "emergency.cooldown_s", 0, 10 * MINUTE),
    Bound("TermBounds", "bountyBps", "emergency.bounty_bps", 0, 200),
)

OPTION_BOUNDS = (
    Bound("OptionLimits", "minTenor", "options.min_tenor_s", HOUR, None),
    Bound("OptionLimits", "maxTenor", "options.max_tenor_s", None, 365 * DAY),
    Bound("OptionLimits", "minDeltaBps", "options.min_delta_bps", 100, None),
    Bound("OptionLimits", "maxDeltaBps", "options.max_delta_bps", None, 7_500),
    Bound("OptionLimits", "maxNotionalBps", "options.max_notional_bps", 0, 15_000),
    Bound("OptionLimits", "maxVegaBps", "options.max_vega_bps", 0, BPS),
    Bound("OptionLimits", "reserveDiscountBps", "options.reserve_discount_bps", 0, 2_000),
    Bound("OptionLimits", "buyBackPremiumBps", "options.buy_back_premium_bps", 0, 2_000),
    Bound("OptionLimits", "auctionDuration", "options.auction_duration_s", 5 * MINUTE, DAY),
    Bound("OptionLimits", "startWindow", "options.start_window_s", MINUTE, 6 * HOUR),
    Bound("OptionLimits", "minBidBps", "options.min_bid_bps", 0, None),
    Bound("OptionLimits", "maxBidBps", "options.max_bid_bps", 500, BPS),
    Bound("OptionLimits", "maxSeries", "options.max_series", 0, 64),
)

VAULT_BOUNDS = (
    Bound("VaultShares", "epochLength", "vault.epoch_length_s", 10 * MINUTE, 30 * DAY),
    Bound("AccessSetup", "curatorDelay", "roles.curator_delay_s", HOUR, 30 * DAY),
    Bound("AccessSetup", "ownerDelay", "roles.owner_delay_s", None, 30 * DAY),
)

ORACLE_BOUNDS = (
    Bound("PairSources", "baseMaxAge", "oracle.base.max_age_s", MINUTE, 26 * HOUR),
    Bound("PairSources", "quoteMaxAge", "oracle.quote.max_age_s", MINUTE, 26 * HOUR),
    Bound("PairSources", "maxDeviationBps", "oracle.max_deviation_bps", 1, None),
    Bound("PairSources", "blockTime", "oracle.block_time_s", 1, 12),
    Bound("PriceOracle", "twapWindow", "oracle.twap_window_s", 30, HOUR),
)
SEQUENCER_BOUNDS = (
    Bound("PairSources", "graceSeconds", "oracle.sequencer.grace_s", 5 * MINUTE, DAY),
)

VOLATILITY_BOUNDS = (
    Bound("VolatilityOracle", "interval", "volatility.interval_s", 5 * MINUTE, DAY),
    Bound("VolatilityOracle", "slack", "volatility.slack_s", MINUTE, None),
    Bound("VolatilityOracle", "windowSlots", "volatility.window_slots", 12, 1_440),
    Bound("VolatilityOracle", "minReturns", "volatility.min_returns", None, None),
    Bound("VolatilityOracle", "maxReturnBps", "volatility.max_return_bps", 100, 5_000),
    Bound(
        "VolatilityOracle", "maxObservationAge", "volatility.max_observation_age_s", None, 2 * DAY
    ),
    Bound("VolatilityLimits", "minPostInterval", "volatility.min_post_interval_s", MINUTE, DAY),
    Bound("VolatilityLimits", "maxAge", "volatility.max_age_s", 10 * MINUTE, 2 * DAY),
    Bound("VolatilityLimits", "expireAge", "volatility.expire_age_s", None, 7 * DAY),
    Bound("VolatilityLimits", "floorPpm", "volatility.floor_ppm", 50_000, 2_000_000),
    Bound("VolatilityLimits", "floorRatioBps", "volatility.floor_ratio_bps", 2_500, 12_500),
    Bound("VolatilityLimits", "maxStepBps", "volatility.max_step_bps", 10, 2_500),
    Bound("VolatilityLimits", "maxPerDayBps", "volatility.max_per_day_bps", 100, 5_000),
    Bound("VolatilityLimits", "halfSpreadBps", "volatility.half_spread_bps", 10, 2_500),
    Bound(
        "VolatilityLimits", "staleHalfSpreadBps", "volatility.stale_half_spread_bps", None, 5_000
    ),
)

SETTLEMENT_BOUNDS = (
    Bound("PairSources", "baseMaxAge", "settlement.base_max_age_s", MINUTE, 26 * HOUR),
    Bound("PairSources", "quoteMaxAge", "settlement.quote_max_age_s", MINUTE, 26 * HOUR),
    Bound("PairSources", "maxDeviationBps", "settlement.max_deviation_bps", 1, None),
    Bound("SettlementOracle", "twapWindow", "settlement.twap_window_s", 2 * MINUTE, HOUR),
    Bound("SettlementOracle", "recordWindow", "settlement.record_window_s", 10 * MINUTE, DAY),
    Bound("SettlementOracle", "disputeWindow", "settlement.dispute_window_s", DAY, 7 * DAY),
    Bound("SettlementOracle", "choiceDelay", "settlement.choice_delay_s", DAY, 7 * DAY),
)

CONSTANTS = (
    Bound("FeeMath", "MANAGEMENT_CEILING_BPS", "fees.management_bps", 0, 300),
    Bound("FeeMath", "PERFORMANCE_CEILING_BPS", "fees.performance_bps", 0, 3_000),
    Bound("AccessSetup", "MIN_OWNER_DELAY", "roles.owner_delay_s", DAY, None),
    Bound("PriceOracle", "MAX_DEVIATION_BPS", "oracle.max_deviation_bps", None, 2_000),
)
DESK_CONSTANTS = (
    Bound("SettlementOracle", "MAX_DEVIATION_BPS", "settlement.max_deviation_bps", None, 500),
)
"""Ends that a contract does not check by `Bounds.requireWithin`, by the name of its constant."""

BOUNDS = TERM_BOUNDS + OPTION_BOUNDS + VAULT_BOUNDS + ORACLE_BOUNDS
"""Of every vault."""
DESK_BOUNDS = VOLATILITY_BOUNDS + SETTLEMENT_BOUNDS
"""Of a vault with options."""

MARK_BOUNDS = (
    Bound("VolatilityMarks", "tenor", "tenor_s", None, 730 * DAY),
    Bound("VolatilityOracle", "levelPpm", "level_ppm", 50_000, 4_000_000),
    Bound("VolatilityOracle", "|skewBps|", "skew_bps", 0, 7_000),
    Bound("VolatilityOracle", "convexityBps", "convexity_bps", 500, 20_000),
)
"""Of each mark; skew without its sign."""
MARKS = Bound("VolatilityMarks", "tenors", "marks", 1, 8)
"""Of their number."""
MIN_TENOR_S = HOUR
MIN_OWNER_DELAY_S = DAY
MAX_SLACK_PART = 4
MAX_ANSWER_RATIO = 10**6
EMERGENCY_MARGIN_WAD = 5 * WAD // 1_000
"""An emergency is at least so far under the mandate's minimum health."""
