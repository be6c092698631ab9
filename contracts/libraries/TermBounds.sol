// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMandate} from "../interfaces/IMandate.sol";
import {Bounds} from "./Bounds.sol";
import {OptionLimitsLib} from "./OptionLimits.sol";

/// @title TermBounds
/// @notice Hard bounds on every parameter of a mandate, and which change of them is riskier.
/// @dev The upper bounds cap what a curator's mistake or a stolen owner key can allow a keeper; the lower ones stop a guardian
/// from tightening until no protective swap is possible: the market may be a feed's whole deviation threshold (0.5 %) below the
/// oracle, and a pool takes up to 0.3 % on top.
library TermBounds {
    uint256 internal constant MIN_HEALTH_FLOOR_WAD = 1.01e18;
    uint256 internal constant MIN_HEALTH_CEILING_WAD = 10e18;
    uint256 internal constant SWAP_LOSS_FLOOR_BPS = 100;
    uint256 internal constant SWAP_LOSS_CEILING_BPS = 300;
    uint256 internal constant LOSS_FLOOR_BPS = 100;
    uint256 internal constant LOSS_CEILING_BPS = 500;
    uint256 internal constant LOSS_PER_DAY_FLOOR_BPS = 10;
    uint256 internal constant LOSS_PER_DAY_CEILING_BPS = 1000;
    uint256 internal constant PROTECTIVE_LOSS_PER_DAY_FLOOR_BPS = 100;
    uint256 internal constant PROTECTIVE_LOSS_PER_DAY_CEILING_BPS = 2000;
    uint256 internal constant BORROW_CEILING_BPS = 9300;
    int256 internal constant DELTA_TARGET_FLOOR_BPS = -50_000;
    int256 internal constant DELTA_TARGET_CEILING_BPS = 100_000;
    /// @dev Below, the price's own moves would stop every keeper.
    uint256 internal constant DELTA_BAND_FLOOR_BPS = 100;
    uint256 internal constant DELTA_BAND_CEILING_BPS = 100_000;
    uint256 internal constant SHARE_CEILING_BPS = 10_000;
    uint256 internal constant TURNOVER_CEILING_BPS = 200_000;
    uint256 internal constant COOLDOWN_CEILING = 1 days;
    uint256 internal constant ORACLE_AGE_FLOOR = 1 minutes;
    uint256 internal constant ORACLE_AGE_CEILING = 26 hours;
    uint256 internal constant EMERGENCY_HEALTH_FLOOR_WAD = 1.005e18;
    uint256 internal constant EMERGENCY_MARGIN_WAD = 0.005e18;
    uint256 internal constant SILENCE_FLOOR = 1 minutes;
    uint256 internal constant SILENCE_CEILING = 1 days;
    uint256 internal constant SLICE_FLOOR_BPS = 100;
    uint256 internal constant SLICE_CEILING_BPS = 5000;
    uint256 internal constant RESCUE_COOLDOWN_CEILING = 10 minutes;
    uint256 internal constant BOUNTY_CEILING_BPS = 200;

    /// @notice Reverts with `Bounds.OutOfBounds` unless every parameter is within its hard bounds.
    function requireWithinHardBounds(IMandate.Terms memory terms) internal pure {
        _requireLimits(terms.limits);
        _requireCaps(terms.caps);
        _requireEmergency(terms.emergency, terms.limits.minHealthWad);
        OptionLimitsLib.requireWithinHardBounds(terms.options);
    }

    /// @notice Whether anything in `next` is riskier than in `current`. A rescue's terms are neither: any change of them counts.
    function loosens(IMandate.Terms memory current, IMandate.Terms memory next) internal pure returns (bool) {
        return _loosensLimits(current.limits, next.limits) || _loosensCaps(current.caps, next.caps)
            || keccak256(abi.encode(current.emergency)) != keccak256(abi.encode(next.emergency))
            || OptionLimitsLib.loosens(current.options, next.options);
    }

    function _requireLimits(IMandate.Limits memory limits) private pure {
        Bounds.requireWithin(
            "minHealthWad", limits.minHealthWad, MIN_HEALTH_FLOOR_WAD, MIN_HEALTH_CEILING_WAD
        );
        Bounds.requireWithin(
            "maxSwapLossBps", limits.maxSwapLossBps, SWAP_LOSS_FLOOR_BPS, SWAP_LOSS_CEILING_BPS
        );
        Bounds.requireWithin("maxLossBps", limits.maxLossBps, LOSS_FLOOR_BPS, LOSS_CEILING_BPS);
        Bounds.requireWithin(
            "maxLossPerDayBps", limits.maxLossPerDayBps, LOSS_PER_DAY_FLOOR_BPS, LOSS_PER_DAY_CEILING_BPS
        );
        Bounds.requireWithin("maxBorrowBps", limits.maxBorrowBps, 0, BORROW_CEILING_BPS);
    }

    function _requireCaps(IMandate.Caps memory caps) private pure {
        if (caps.deltaTargetBps < DELTA_TARGET_FLOOR_BPS || caps.deltaTargetBps > DELTA_TARGET_CEILING_BPS) {
            revert Bounds.SignedOutOfBounds(
                "deltaTargetBps", caps.deltaTargetBps, DELTA_TARGET_FLOOR_BPS, DELTA_TARGET_CEILING_BPS
            );
        }
        Bounds.requireWithin("deltaBandBps", caps.deltaBandBps, DELTA_BAND_FLOOR_BPS, DELTA_BAND_CEILING_BPS);
        Bounds.requireWithin("maxVenueBps", caps.maxVenueBps, 0, SHARE_CEILING_BPS);
        Bounds.requireWithin("maxOptionBps", caps.maxOptionBps, 0, SHARE_CEILING_BPS);
        Bounds.requireWithin("turnoverPerDayBps", caps.turnoverPerDayBps, 0, TURNOVER_CEILING_BPS);
        Bounds.requireWithin("cooldown", caps.cooldown, 0, COOLDOWN_CEILING);
        Bounds.requireWithin("maxOracleAge", caps.maxOracleAge, ORACLE_AGE_FLOOR, ORACLE_AGE_CEILING);
        Bounds.requireWithin(
            "protectiveLossPerDayBps",
            caps.protectiveLossPerDayBps,
            PROTECTIVE_LOSS_PER_DAY_FLOOR_BPS,
            PROTECTIVE_LOSS_PER_DAY_CEILING_BPS
        );
    }

    /// @dev Nobody may sell a vault that its own keeper may hold there, nor one an hour's interest away from it: emergency is under
    /// the mandate's minimum by a margin.
    function _requireEmergency(IMandate.Emergency memory e, uint256 minHealthWad) private pure {
        Bounds.requireWithin(
            "emergencyHealthWad",
            e.emergencyHealthWad,
            EMERGENCY_HEALTH_FLOOR_WAD,
            minHealthWad - EMERGENCY_MARGIN_WAD
        );
        Bounds.requireWithin(
            "criticalHealthWad", e.criticalHealthWad, EMERGENCY_HEALTH_FLOOR_WAD, e.emergencyHealthWad
        );
        Bounds.requireWithin("silence", e.silence, SILENCE_FLOOR, SILENCE_CEILING);
        Bounds.requireWithin("sliceBps", e.sliceBps, SLICE_FLOOR_BPS, SLICE_CEILING_BPS);
        Bounds.requireWithin("rescueCooldown", e.cooldown, 0, RESCUE_COOLDOWN_CEILING);
        Bounds.requireWithin("bountyBps", e.bountyBps, 0, BOUNTY_CEILING_BPS);
    }

    function _loosensLimits(IMandate.Limits memory current, IMandate.Limits memory next)
        private
        pure
        returns (bool)
    {
        return next.minHealthWad < current.minHealthWad || next.maxSwapLossBps > current.maxSwapLossBps
            || next.maxLossBps > current.maxLossBps || next.maxLossPerDayBps > current.maxLossPerDayBps
            || next.maxBorrowBps > current.maxBorrowBps;
    }

    function _loosensCaps(IMandate.Caps memory current, IMandate.Caps memory next)
        private
        pure
        returns (bool)
    {
        return next.deltaTargetBps != current.deltaTargetBps || next.deltaBandBps > current.deltaBandBps
            || next.maxVenueBps > current.maxVenueBps || next.maxOptionBps > current.maxOptionBps
            || next.turnoverPerDayBps > current.turnoverPerDayBps || next.cooldown < current.cooldown
            || next.maxOracleAge > current.maxOracleAge
            || next.protectiveLossPerDayBps > current.protectiveLossPerDayBps;
    }
}
