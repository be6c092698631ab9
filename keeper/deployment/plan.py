"""The steps of a deployment, as values: what is created with which arguments, and what is called afterwards.

Arguments that are structs are mappings by the contract's own field names; whoever encodes them puts them in the ABI's
order and so notices a field that is missing or too many.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from keeper.deployment.parameters import Parameters, scaled
from keeper.model.address import ZERO_ADDRESS
from keeper.model.units import WAD

MANAGER = "AccessManager"
VENUES_BOUND = "venues bound"


@dataclass(frozen=True, slots=True)
class Ref:
    """The address of what an earlier step created."""

    name: str


@dataclass(frozen=True, slots=True)
class Create:
    """Deploy `name`. `standalone`: its constructor can be tried before anything else exists."""

    name: str
    arguments: tuple[Any, ...]
    standalone: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """Call a function, of a contract created here or of a token (`Ref("asset")`)."""

    name: str
    target: Ref
    function: str
    arguments: tuple[Any, ...]


Step = Create | Call


def resolve(value: Any, addresses: Mapping[str, str]) -> Any:
    """The value with every Ref replaced by its address."""
    if isinstance(value, Ref):
        return addresses[value.name]
    if isinstance(value, Mapping):
        return {key: resolve(inner, addresses) for key, inner in value.items()}
    if isinstance(value, (tuple, list)):
        return tuple(resolve(inner, addresses) for inner in value)
    return value


@dataclass(frozen=True, slots=True)
class Decimals:
    """Of the asset and of what the two feeds answer: read from the chain, pinned by the contracts."""

    asset: int
    base_feed: int
    quote_feed: int


def amount_problems(p: Parameters, decimals: Decimals) -> tuple[str, ...]:
    """Amounts that cannot be told in their token's or feed's units, or do not fit."""
    base, quote = p.oracle.base, p.oracle.quote
    amounts = (
        ("deposits.cap", p.deposits.cap, decimals.asset, 128),
        ("deposits.minimum", p.deposits.minimum, decimals.asset, 88),
        ("emergency.max_bounty", p.emergency.max_bounty, decimals.asset, 96),
        ("oracle.base.min_answer", base.min_answer, decimals.base_feed, 107),
        ("oracle.base.max_answer", base.max_answer, decimals.base_feed, 127),
        ("oracle.quote.min_answer", quote.min_answer, decimals.quote_feed, 107),
        ("oracle.quote.max_answer", quote.max_answer, decimals.quote_feed, 127),
    )
    problems = []
    for field, amount, digits, bits in amounts:
        exact = scaled(amount, 10**digits)
        if exact.denominator != 1:
            problems.append(f"{field}: {amount:f} has more than {digits} decimals")
        elif exact >= 2**bits:
            problems.append(f"{field}: {amount} does not fit into {bits} bits")
    return tuple(problems)


def steps(p: Parameters, decimals: Decimals) -> tuple[Step, ...]:
    """In the order in which they are sent; `amount_problems` must be empty."""
    lens: tuple[Step, ...] = () if p.lens else (Create("VaultLens", (), standalone=True),)
    return (
        Create("AccessSetup", (), standalone=True),
        Create("PriceOracle", (price_oracle(p, decimals),), standalone=True),
        Create("Valuation", (Ref("PriceOracle"),)),
        Create("Mandate", (Ref(MANAGER), Ref("Valuation"), terms(p, decimals.asset))),
        Create("Vault", (vault(p, decimals.asset),)),
        Create("AaveV3Adapter", (Ref("Vault"), p.venues.aave_addresses_provider)),
        Create("UniswapV3Adapter", (Ref("Vault"), p.venues.uniswap_pool)),
        *_desk(p, decimals),
        *lens,
        Call("seed approved", Ref("asset"), "approve", (Ref("Vault"), 10**decimals.asset)),
        Call(VENUES_BOUND, Ref("Vault"), "setVenues", _venues(p)),
        Call("roles handed over", Ref("AccessSetup"), "finish", _finish(p)),
    )


def _venues(p: Parameters) -> tuple[Any, ...]:
    desk = Ref("OptionDesk") if p.with_options else ZERO_ADDRESS
    return (Ref("AaveV3Adapter"), Ref("UniswapV3Adapter"), desk)


def _finish(p: Parameters) -> tuple[Any, ...]:
    marks = Ref("VolatilityOracle") if p.with_options else ZERO_ADDRESS
    return (Ref("Mandate"), marks, holders(p))


def _desk(p: Parameters, decimals: Decimals) -> tuple[Step, ...]:
    if not p.with_options:
        return ()
    oracles = (Ref("VolatilityOracle"), Ref("SettlementOracle"))
    return (
        Create("VolatilityOracle", volatility_oracle(p), standalone=True),
        Create("SettlementOracle", (settlement_oracle(p, decimals),), standalone=True),
        Create("OptionBook", ()),
        Create("OptionAuction", (Ref("OptionBook"), Ref("PriceOracle"), Ref("VolatilityOracle"))),
        Create("OptionDesk", (Ref("Vault"), Ref("OptionBook"), Ref("OptionAuction"), *oracles)),
    )


# ---------------------------------------------------------------- arguments


def _wad(ratio: Decimal) -> int:
    return int(scaled(ratio, WAD))


def _raw(amount: Decimal, decimals: int) -> int:
    return int(scaled(amount, 10**decimals))


def _sources(p: Parameters, decimals: Decimals) -> dict[str, Any]:
    """What both oracles pin."""
    base, quote, sequencer = p.oracle.base, p.oracle.quote, p.oracle.sequencer
    return {
        "base": p.vault.base,
        "quote": p.vault.asset,
        "baseFeed": base.feed,
        "quoteFeed": quote.feed,
        "pool": p.oracle.pool,
        "baseMinAnswer": _raw(base.min_answer, decimals.base_feed),
        "baseMaxAnswer": _raw(base.max_answer, decimals.base_feed),
        "quoteMinAnswer": _raw(quote.min_answer, decimals.quote_feed),
        "quoteMaxAnswer": _raw(quote.max_answer, decimals.quote_feed),
        "blockTime": p.oracle.block_time_s,
        "sequencerFeed": sequencer.feed if sequencer else ZERO_ADDRESS,
        "graceSeconds": sequencer.grace_s if sequencer else 0,
    }


def price_oracle(p: Parameters, decimals: Decimals) -> dict[str, Any]:
    """PriceOracle.Config."""
    return {
        **_sources(p, decimals),
        "baseMaxAge": p.oracle.base.max_age_s,
        "quoteMaxAge": p.oracle.quote.max_age_s,
        "twapWindow": p.oracle.twap_window_s,
        "maxDeviationBps": p.oracle.max_deviation_bps,
    }


def settlement_oracle(p: Parameters, decimals: Decimals) -> dict[str, Any]:
    """SettlementOracle.Config: the price oracle's tokens, feeds and pool, with terms of its own."""
    s = p.settlement
    if s is None:
        raise ValueError("the vault has no options")
    return {
        **_sources(p, decimals),
        "baseMaxAge": s.base_max_age_s,
        "quoteMaxAge": s.quote_max_age_s,
        "twapWindow": s.twap_window_s,
        "recordWindow": s.record_window_s,
        "maxDeviationBps": s.max_deviation_bps,
        "disputeWindow": s.dispute_window_s,
        "choiceDelay": s.choice_delay_s,
        "resolver": s.resolver or ZERO_ADDRESS,
    }


def volatility_oracle(p: Parameters) -> tuple[Any, ...]:
    """Setup, tenors, marks and limits. Owner and guardian are the manager: its roles and delays hold here too."""
    v = p.volatility
    if v is None:
        raise ValueError("the vault has no options")
    setup = {
        "oracle": Ref("PriceOracle"),
        "owner": Ref(MANAGER),
        "guardian": Ref(MANAGER),
        "poster": v.poster,
        "interval": v.interval_s,
        "slack": v.slack_s,
        "windowSlots": v.window_slots,
        "minReturns": v.min_returns,
        "maxReturnBps": v.max_return_bps,
        "maxObservationAge": v.max_observation_age_s,
    }
    limits = {
        "minPostInterval": v.min_post_interval_s,
        "maxAge": v.max_age_s,
        "expireAge": v.expire_age_s,
        "floorPpm": v.floor_ppm,
        "floorRatioBps": v.floor_ratio_bps,
        "maxStepBps": v.max_step_bps,
        "maxPerDayBps": v.max_per_day_bps,
        "halfSpreadBps": v.half_spread_bps,
        "staleHalfSpreadBps": v.stale_half_spread_bps,
    }
    marks = tuple(
        {"levelPpm": m.level_ppm, "skewBps": m.skew_bps, "convexityBps": m.convexity_bps}
        for m in v.marks
    )
    return setup, tuple(m.tenor_s for m in v.marks), marks, limits


def terms(p: Parameters, decimals: int) -> dict[str, Any]:
    """IMandate.Terms."""
    return {
        "limits": {
            "minHealthWad": _wad(p.limits.min_health),
            "maxSwapLossBps": p.limits.max_swap_loss_bps,
            "maxLossBps": p.limits.max_loss_bps,
            "maxLossPerDayBps": p.limits.max_loss_per_day_bps,
            "maxBorrowBps": p.limits.max_borrow_bps,
        },
        "caps": {
            "deltaTargetBps": p.caps.delta_target_bps,
            "deltaBandBps": p.caps.delta_band_bps,
            "maxVenueBps": p.caps.max_venue_bps,
            "maxOptionBps": p.caps.max_option_bps,
            "turnoverPerDayBps": p.caps.turnover_per_day_bps,
            "cooldown": p.caps.cooldown_s,
            "maxOracleAge": p.caps.max_oracle_age_s,
            "protectiveLossPerDayBps": p.caps.protective_loss_per_day_bps,
        },
        "emergency": {
            "emergencyHealthWad": _wad(p.emergency.emergency_health),
            "criticalHealthWad": _wad(p.emergency.critical_health),
            "silence": p.emergency.silence_s,
            "sliceBps": p.emergency.slice_bps,
            "cooldown": p.emergency.cooldown_s,
            "bountyBps": p.emergency.bounty_bps,
            "maxBounty": _raw(p.emergency.max_bounty, decimals),
        },
        "options": _option_limits(p),
    }


def _option_limits(p: Parameters) -> dict[str, int]:
    o = p.options
    return {
        "minTenor": o.min_tenor_s,
        "maxTenor": o.max_tenor_s,
        "minDeltaBps": o.min_delta_bps,
        "maxDeltaBps": o.max_delta_bps,
        "maxNotionalBps": o.max_notional_bps,
        "maxVegaBps": o.max_vega_bps,
        "reserveDiscountBps": o.reserve_discount_bps,
        "buyBackPremiumBps": o.buy_back_premium_bps,
        "auctionDuration": o.auction_duration_s,
        "startWindow": o.start_window_s,
        "minBidBps": o.min_bid_bps,
        "maxBidBps": o.max_bid_bps,
        "maxSeries": o.max_series,
    }


def vault(p: Parameters, decimals: int) -> dict[str, Any]:
    """Vault.Config."""
    return {
        "asset": p.vault.asset,
        "base": p.vault.base,
        "mandate": Ref("Mandate"),
        "name": p.vault.name,
        "symbol": p.vault.symbol,
        "epochLength": p.vault.epoch_length_s,
        "policy": {
            "cap": _raw(p.deposits.cap, decimals),
            "minimum": _raw(p.deposits.minimum, decimals),
            "allowListed": p.deposits.allow_listed,
        },
        "fees": {
            "recipient": p.fees.recipient or ZERO_ADDRESS,
            "managementBps": p.fees.management_bps,
            "performanceBps": p.fees.performance_bps,
        },
    }


def holders(p: Parameters) -> dict[str, Any]:
    """IAccessSetup.Holders."""
    return {
        "owner": p.roles.owner,
        "curator": p.roles.curator,
        "guardian": p.roles.guardian,
        "keepers": p.roles.keepers,
        "ownerDelay": p.roles.owner_delay_s,
        "curatorDelay": p.roles.curator_delay_s,
    }
