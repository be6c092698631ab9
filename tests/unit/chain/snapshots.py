"""Readings as the lens would answer them, for tests of the way back."""

from typing import Any

from eth_abi.abi import encode as abi_encode
from eth_utils.abi import collapse_if_tuple

from keeper import abi
from keeper.model.market import FeedReading, Readings, TokenPosition

_NO_SEQUENCER = {
    "feed": "0x" + "00" * 20,
    "up": True,
    "since": 0,
    "graceSeconds": 0,
    "fault": 0,
}


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
    limits = r.limits
    return {
        "version": 1,
        "chainId": r.chain_id,
        "blockNumber": r.block.number,
        "timestamp": r.block.timestamp,
        "baseFee": r.block.base_fee_wei,
        "vault": r.vault,
        "asset": r.asset.address,
        "assetDecimals": r.asset.decimals,
        "base": r.base.address,
        "baseDecimals": r.base.decimals,
        "totalShares": r.total_shares,
        "navValid": r.nav_valid,
        "nav": r.nav,
        "idleAsset": r.idle_asset,
        "idleBase": r.idle_base,
        "paused": r.paused,
        "limits": {
            "minHealthWad": limits.min_health_wad,
            "maxSwapLossBps": limits.max_swap_loss_bps,
            "maxLossBps": limits.max_loss_bps,
            "maxLossPerDayBps": limits.max_loss_per_day_bps,
            "maxBorrowBps": limits.max_borrow_bps,
        },
        "lossBudgetLeft": r.loss_budget_left,
        "lossBudgetCapacity": r.loss_budget_capacity,
        "venueReadable": r.venue_readable,
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
        "price": {
            "priceWad": r.price.price_wad,
            "twapWad": r.price.twap_wad,
            "deviationBps": r.price.deviation_bps,
            "maxDeviationBps": r.price.max_deviation_bps,
            "twapWindow": r.price.twap_window_s,
            "fault": r.price.fault,
            "base": _feed(r.price.base),
            "quote": _feed(r.price.quote),
            "sequencer": _NO_SEQUENCER,
        },
        "callerIsKeeper": r.keeper_allowed,
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
        "minAnswer": 1,
        "maxAnswer": 10**30,
    }
