"""Readings as the lens would answer them, for tests of the way back."""

from typing import Any

from eth_abi.abi import encode as abi_encode
from eth_utils.abi import collapse_if_tuple

from keeper import abi
from keeper.model.mandate import Budget, MandateState
from keeper.model.market import (
    NO_OPTIONS,
    FeedReading,
    Fees,
    OptionPosition,
    Readings,
    TokenPosition,
)

_MEMO = ("optionChanges", "lendingChanges", "bookAsset", "bookBase", "bookDebt", "bookDelta")
"""What the mandate remembers within one rebalance; the keeper reads desk and venue itself."""


def snapshot_answer(readings: Readings, **changes: Any) -> str:
    """0x-prefixed answer of VaultLens.snapshot."""
    entry = next(e for e in abi.load("VaultLens") if e.get("name") == "snapshot")
    values = {**snapshot_values(readings), **changes}
    output = entry["outputs"][0]
    return "0x" + abi_encode([collapse_if_tuple(output)], [_ordered(output, values)]).hex()


def _ordered(part: dict[str, Any], value: Any) -> Any:
    if part["type"] == "tuple":
        return tuple(_ordered(inner, value[inner["name"]]) for inner in part["components"])
    if part["type"] == "tuple[]":
        return [_ordered({**part, "type": "tuple"}, item) for item in value]
    return value


def snapshot_values(r: Readings) -> dict[str, Any]:
    """Its fields by the names of the ABI."""
    return {
        "version": 2,
        "chainId": r.chain_id,
        "blockNumber": r.block.number,
        "timestamp": r.block.timestamp,
        "baseFee": r.block.base_fee_wei,
        "vault": r.vault,
        "asset": r.asset.address,
        "assetDecimals": r.asset.decimals,
        "base": r.base.address,
        "baseDecimals": r.base.decimals,
        "state": _state(r),
        "mandate": _mandate(r.mandate),
        "venues": {
            "lendingReadable": r.venue_readable,
            "lendingAdapter": r.lending_adapter,
            "account": {
                "collateralBase": r.account.collateral_base,
                "debtBase": r.account.debt_base,
                "healthWad": r.account.health_wad,
            },
            "positions": [_position(r.asset_position), _position(r.base_position)],
            "poolReadable": r.pool_readable,
            "swapAdapter": r.swap_adapter,
            "pool": {
                "pool": r.pool.pool,
                "feePips": r.pool.fee_pips,
                "tick": r.pool.tick,
                "sqrtPriceX96": r.pool.sqrt_price_x96,
                "liquidity": r.pool.liquidity,
                "baseIsToken0": r.pool.base_is_token0,
            },
        },
        "options": _options(r),
        "price": {
            "priceWad": r.price.price_wad,
            "twapWad": r.price.twap_wad,
            "deviationBps": r.price.deviation_bps,
            "maxDeviationBps": r.price.max_deviation_bps,
            "twapWindow": r.price.twap_window_s,
            "fault": r.price.fault,
            "base": _feed(r.price.base),
            "quote": _feed(r.price.quote),
            "sequencer": {
                "feed": r.price.sequencer.feed,
                "up": r.price.sequencer.up,
                "since": r.price.sequencer.since,
                "graceSeconds": r.price.sequencer.grace_s,
                "fault": r.price.sequencer.fault,
            },
        },
    }


def _state(r: Readings) -> dict[str, Any]:
    who, marks, m = r.depositors, r.depositors.marks, r.measure
    return {
        "totalShares": r.total_shares,
        "unhedged": r.unhedged,
        "depositsHalted": who.halted,
        "idleAsset": r.idle_asset,
        "idleBase": r.idle_base,
        "navValid": r.nav_valid,
        "nav": r.nav,
        "holdingsValid": True,
        "holdings": dict.fromkeys(
            ("idleAsset", "idleBase", "suppliedAsset", "suppliedBase", "debtAsset", "debtBase"), 0
        ),
        "measureValid": m is not None,
        "measure": {
            "priced": m is not None and m.priced,
            "optionsKnown": m is not None and m.options_known,
            "priceWad": m.price_wad if m else 0,
            "priceAt": m.price_at if m else 0,
            "healthWad": m.health_wad if m else 0,
            "gross": m.gross if m else 0,
            "debt": m.debt if m else 0,
            "nav": m.nav if m else 0,
            "debtAsset": m.debt_asset if m else 0,
            "debtBase": m.debt_base if m else 0,
            "suppliedAsset": m.supplied_asset if m else 0,
            "suppliedBase": m.supplied_base if m else 0,
            "deltaBase": m.delta_base if m else 0,
            "lent": m.lent if m else 0,
            "optionCollateral": m.option_collateral if m else 0,
            "notional": m.notional if m else 0,
            "vega": m.vega if m else 0,
            **dict.fromkeys(_MEMO, 0),
        },
        "marksValid": marks is not None,
        "marks": {
            "low": marks.low if marks else 0,
            "high": marks.high if marks else 0,
            "open": marks is not None and marks.open,
        },
        "epoch": {
            "epoch": who.epoch,
            "settledAt": who.settled_at,
            "dueAt": who.due_at,
            "pendingDeposits": who.pending_deposits,
            "pendingRedemptions": who.pending_redemptions,
            "reserved": who.reserved,
            "settledNav": who.settled_nav,
            "highWaterMark": who.high_water_mark,
        },
        "deposits": {"cap": who.cap, "minimum": who.minimum, "allowListed": who.allow_listed},
        "fees": _fees(who.fees),
        "nextFees": _fees(who.next_fees),
    }


def _fees(f: Fees) -> dict[str, Any]:
    return {
        "recipient": f.recipient,
        "managementBps": f.management_bps,
        "performanceBps": f.performance_bps,
    }


def _mandate(m: MandateState) -> dict[str, Any]:
    limits, caps, e, o = m.terms.limits, m.terms.caps, m.terms.emergency, m.terms.options
    return {
        "mandate": m.address,
        "terms": {
            "limits": {
                "minHealthWad": limits.min_health_wad,
                "maxSwapLossBps": limits.max_swap_loss_bps,
                "maxLossBps": limits.max_loss_bps,
                "maxLossPerDayBps": limits.max_loss_per_day_bps,
                "maxBorrowBps": limits.max_borrow_bps,
            },
            "caps": {
                "deltaTargetBps": caps.delta_target_bps,
                "deltaBandBps": caps.delta_band_bps,
                "maxVenueBps": caps.max_venue_bps,
                "maxOptionBps": caps.max_option_bps,
                "turnoverPerDayBps": caps.turnover_per_day_bps,
                "cooldown": caps.cooldown_s,
                "maxOracleAge": caps.max_oracle_age_s,
                "protectiveLossPerDayBps": caps.protective_loss_per_day_bps,
            },
            "emergency": {
                "emergencyHealthWad": e.emergency_health_wad,
                "criticalHealthWad": e.critical_health_wad,
                "silence": e.silence_s,
                "sliceBps": e.slice_bps,
                "cooldown": e.cooldown_s,
                "bountyBps": e.bounty_bps,
                "maxBounty": e.max_bounty,
            },
            "options": {
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
            },
        },
        "termsHash": bytes.fromhex(m.terms_hash[2:]),
        "stateHash": bytes.fromhex(m.state_hash[2:]),
        "lastBeat": m.last_beat,
        "lastRoutineAt": m.last_routine_at,
        "paused": m.paused,
        "windingDown": m.winding_down,
        "callerIsKeeper": m.keeper_allowed,
        "routine": _budget(m.routine),
        "protective": _budget(m.protective),
        "turnover": _budget(m.turnover),
    }


def _budget(b: Budget) -> dict[str, Any]:
    return {"leftWad": b.left_wad, "capacityWad": b.capacity_wad}


def _options(r: Readings) -> dict[str, Any]:
    value = r.options.value
    given = value or NO_OPTIONS
    return {
        "desk": r.options.desk,
        "valueReadable": value is not None,
        "volatilityKnown": r.options.volatility_known,
        "value": {
            "collateralBase": given.collateral_base,
            "collateralAsset": given.collateral_asset,
            "escrowAsset": given.escrow_asset,
            "liabilityLow": given.liability_low,
            "liabilityMid": given.liability_mid,
            "liabilityHigh": given.liability_high,
            "deltaBase": given.delta_base,
            "vegaAsset": given.vega,
            "notionalBase": given.notional_base,
            "openSeries": given.open_series,
            "awaiting": given.awaiting,
        },
        "positionsReadable": bool(r.options.positions),
        "positions": [_option_position(p) for p in r.options.positions],
    }


def _option_position(p: OptionPosition) -> dict[str, Any]:
    return {
        "id": int(p.series_id),
        "series": {
            "base": "0x" + "ba" * 20,
            "quote": "0x" + "a5" * 20,
            "oracle": "0x" + "0c" * 20,
            "expiry": p.expiry,
            "isCall": p.is_call,
            "strikeWad": p.strike_wad,
            "secondStrikeWad": p.second_strike_wad,
        },
        "written": p.written,
        "sold": p.sold,
        "inAuction": p.in_auction,
        "markLow": p.mark_low,
        "markMid": p.mark_mid,
        "markHigh": p.mark_high,
        "deltaBase": p.delta_base,
        "gammaBase": p.gamma_base,
        "vegaAsset": p.vega,
        "fault": p.fault,
        "awaiting": p.awaiting,
    }


def _position(p: TokenPosition) -> dict[str, Any]:
    return {
        "token": p.token,
        "supplied": p.supplied,
        "debt": p.debt,
        "ltvBps": p.ltv_bps,
        "liquidationThresholdBps": p.liquidation_threshold_bps,
        "liquidationBonusBps": p.liquidation_bonus_bps,
        "supplyRateRay": p.supply_rate_ray,
        "borrowRateRay": p.borrow_rate_ray,
        "available": p.available,
        "frozenOrPaused": p.frozen_or_paused,
    }


def _feed(f: FeedReading) -> dict[str, Any]:
    return {
        "feed": f.feed,
        "description": f.description,
        "decimals": f.decimals,
        "roundId": f.round_id,
        "answeredInRound": f.answered_in_round,
        "answer": f.answer,
        "updatedAt": f.updated_at,
        "maxAge": f.max_age_s,
        "fault": f.fault,
        "minAnswer": f.min_answer,
        "maxAnswer": f.max_answer,
    }
