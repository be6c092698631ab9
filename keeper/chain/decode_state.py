"""From a decoded snapshot's parts to the model: mandate, depositors, measure, options."""

from typing import Any

from keeper.chain.addresses import address
from keeper.model.mandate import (
    Budget,
    Caps,
    Emergency,
    Limits,
    MandateState,
    OptionLimits,
    Terms,
)
from keeper.model.market import (
    NO_OPTIONS,
    BookValue,
    Depositors,
    Fees,
    Marks,
    Measure,
    OptionPosition,
    Options,
)
from keeper.model.units import Bps, Raw, Wad


def mandate(m: dict[str, Any]) -> MandateState:
    """IVaultLens.MandateState."""
    return MandateState(
        address=address(m["mandate"]),
        terms=_terms(m["terms"]),
        terms_hash="0x" + m["termsHash"].hex(),
        state_hash="0x" + m["stateHash"].hex(),
        last_beat=m["lastBeat"],
        last_routine_at=m["lastRoutineAt"],
        paused=m["paused"],
        winding_down=m["windingDown"],
        keeper_allowed=m["callerIsKeeper"],
        routine=_budget(m["routine"]),
        protective=_budget(m["protective"]),
        turnover=_budget(m["turnover"]),
    )


def _budget(b: dict[str, Any]) -> Budget:
    return Budget(Wad(b["leftWad"]), Wad(b["capacityWad"]))


def _terms(t: dict[str, Any]) -> Terms:
    return Terms(
        limits=_limits(t["limits"]),
        caps=_caps(t["caps"]),
        emergency=_emergency(t["emergency"]),
        options=_option_limits(t["options"]),
    )


def _limits(x: dict[str, Any]) -> Limits:
    return Limits(
        min_health_wad=Wad(x["minHealthWad"]),
        max_swap_loss_bps=Bps(x["maxSwapLossBps"]),
        max_loss_bps=Bps(x["maxLossBps"]),
        max_loss_per_day_bps=Bps(x["maxLossPerDayBps"]),
        max_borrow_bps=Bps(x["maxBorrowBps"]),
    )


def _caps(x: dict[str, Any]) -> Caps:
    return Caps(
        delta_target_bps=Bps(x["deltaTargetBps"]),
        delta_band_bps=Bps(x["deltaBandBps"]),
        max_venue_bps=Bps(x["maxVenueBps"]),
        max_option_bps=Bps(x["maxOptionBps"]),
        turnover_per_day_bps=Bps(x["turnoverPerDayBps"]),
        cooldown_s=x["cooldown"],
        max_oracle_age_s=x["maxOracleAge"],
        protective_loss_per_day_bps=Bps(x["protectiveLossPerDayBps"]),
    )


def _emergency(x: dict[str, Any]) -> Emergency:
    return Emergency(
        emergency_health_wad=Wad(x["emergencyHealthWad"]),
        critical_health_wad=Wad(x["criticalHealthWad"]),
        silence_s=x["silence"],
        slice_bps=Bps(x["sliceBps"]),
        cooldown_s=x["cooldown"],
        bounty_bps=Bps(x["bountyBps"]),
        max_bounty=Raw(x["maxBounty"]),
    )


def _option_limits(x: dict[str, Any]) -> OptionLimits:
    return OptionLimits(
        min_tenor_s=x["minTenor"],
        max_tenor_s=x["maxTenor"],
        min_delta_bps=Bps(x["minDeltaBps"]),
        max_delta_bps=Bps(x["maxDeltaBps"]),
        max_notional_bps=Bps(x["maxNotionalBps"]),
        max_vega_bps=Bps(x["maxVegaBps"]),
        reserve_discount_bps=Bps(x["reserveDiscountBps"]),
        buy_back_premium_bps=Bps(x["buyBackPremiumBps"]),
        auction_duration_s=x["auctionDuration"],
        start_window_s=x["startWindow"],
        min_bid_bps=Bps(x["minBidBps"]),
        max_bid_bps=Bps(x["maxBidBps"]),
        max_series=x["maxSeries"],
    )


def depositors(state: dict[str, Any]) -> Depositors:
    """The depositors' part of IVaultLens.VaultState."""
    epoch, policy, marks = state["epoch"], state["deposits"], state["marks"]
    return Depositors(
        epoch=epoch["epoch"],
        settled_at=epoch["settledAt"],
        due_at=epoch["dueAt"],
        pending_deposits=Raw(epoch["pendingDeposits"]),
        pending_redemptions=epoch["pendingRedemptions"],
        reserved=Raw(epoch["reserved"]),
        settled_nav=Raw(epoch["settledNav"]),
        high_water_mark=epoch["highWaterMark"],
        halted=state["depositsHalted"],
        cap=Raw(policy["cap"]),
        minimum=Raw(policy["minimum"]),
        allow_listed=policy["allowListed"],
        fees=_fees(state["fees"]),
        next_fees=_fees(state["nextFees"]),
        marks=Marks(Raw(marks["low"]), Raw(marks["high"]), marks["open"])
        if state["marksValid"]
        else None,
    )


def _fees(f: dict[str, Any]) -> Fees:
    return Fees(address(f["recipient"]), Bps(f["managementBps"]), Bps(f["performanceBps"]))


def measure(m: dict[str, Any]) -> Measure:
    """IValuation.Measure."""
    return Measure(
        priced=m["priced"],
        options_known=m["optionsKnown"],
        price_wad=Wad(m["priceWad"]),
        price_at=m["priceAt"],
        health_wad=Wad(m["healthWad"]),
        gross=Raw(m["gross"]),
        debt=Raw(m["debt"]),
        nav=Raw(m["nav"]),
        debt_asset=Raw(m["debtAsset"]),
        debt_base=Raw(m["debtBase"]),
        supplied_asset=Raw(m["suppliedAsset"]),
        supplied_base=Raw(m["suppliedBase"]),
        delta_base=m["deltaBase"],
        lent=Raw(m["lent"]),
        option_collateral=Raw(m["optionCollateral"]),
        notional=Raw(m["notional"]),
        vega=Raw(m["vega"]),
    )


def options(o: dict[str, Any]) -> Options:
    """IVaultLens.OptionState; a vault without a desk has no options, which is known."""
    desk = address(o["desk"])
    if int(desk, 16) == 0:
        return Options(desk, NO_OPTIONS, volatility_known=True, positions=())
    return Options(
        desk=desk,
        value=_book_value(o["value"]) if o["valueReadable"] else None,
        volatility_known=o["volatilityKnown"],
        positions=tuple(_option_position(p) for p in o["positions"]),
    )


def _book_value(v: dict[str, Any]) -> BookValue:
    return BookValue(
        collateral_base=Raw(v["collateralBase"]),
        collateral_asset=Raw(v["collateralAsset"]),
        escrow_asset=Raw(v["escrowAsset"]),
        liability_low=Raw(v["liabilityLow"]),
        liability_mid=Raw(v["liabilityMid"]),
        liability_high=Raw(v["liabilityHigh"]),
        delta_base=v["deltaBase"],
        vega=Raw(v["vegaAsset"]),
        notional_base=Raw(v["notionalBase"]),
        open_series=v["openSeries"],
        awaiting=v["awaiting"],
    )


def _option_position(p: dict[str, Any]) -> OptionPosition:
    series = p["series"]
    return OptionPosition(
        series_id=str(p["id"]),
        is_call=series["isCall"],
        strike_wad=Wad(series["strikeWad"]),
        second_strike_wad=Wad(series["secondStrikeWad"]),
        expiry=series["expiry"],
        written=Raw(p["written"]),
        sold=Raw(p["sold"]),
        in_auction=Raw(p["inAuction"]),
        mark_low=Raw(p["markLow"]),
        mark_mid=Raw(p["markMid"]),
        mark_high=Raw(p["markHigh"]),
        delta_base=p["deltaBase"],
        gamma_base=p["gammaBase"],
        vega=p["vegaAsset"],
        fault=p["fault"],
        awaiting=p["awaiting"],
    )
