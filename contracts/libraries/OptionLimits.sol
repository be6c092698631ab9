// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bounds} from "./Bounds.sol";

/// @notice What a vault may do with options. Tenors and durations in seconds, the rest in 1e-4.
/// @param minTenor seconds to expiry when written, at least
/// @param maxTenor seconds to expiry when written, at most
/// @param minDeltaBps |delta| of the option when written, at least; of a spread: of the option the vault is short
/// @param maxDeltaBps the same, at most
/// @param maxNotionalBps options sold, at spot, over NAV
/// @param maxVegaBps change of NAV for volatility +1.00, over NAV
/// @param reserveDiscountBps a sale's reserve is the model at the volatility floor less this part
/// @param buyBackPremiumBps a purchase pays at most the model at the high volatility plus this part
/// @param auctionDuration seconds of an auction's price path
/// @param startWindow an auction starts at random within so many seconds
/// @param minBidBps least part of an auction's amount one fill takes; the last remainder may be smaller
/// @param maxBidBps largest part of an auction's amount one bidder takes, in all
/// @param maxSeries series open at once; 0 writes none
struct OptionLimits {
    uint32 minTenor;
    uint32 maxTenor;
    uint16 minDeltaBps;
    uint16 maxDeltaBps;
    uint16 maxNotionalBps;
    uint32 maxVegaBps;
    uint16 reserveDiscountBps;
    uint16 buyBackPremiumBps;
    uint32 auctionDuration;
    uint32 startWindow;
    uint16 minBidBps;
    uint16 maxBidBps;
    uint8 maxSeries;
}

using OptionLimitsLib for OptionLimits global;

/// @title OptionLimitsLib
/// @notice Hard bounds on `OptionLimits`, and which change of them is riskier. Two slots in storage.
///
/// Upper bounds cap what a curator's mistake or a stolen owner key can allow a keeper. The floor of `maxBidBps` and
/// the ceiling of `auctionDuration` are there for the guardian: what tightens must not make buying back impossible.
library OptionLimitsLib {
    uint256 internal constant MIN_TENOR_FLOOR = 1 hours;
    uint256 internal constant MAX_TENOR_CEILING = 365 days;
    uint256 internal constant MIN_DELTA_FLOOR_BPS = 100;
    uint256 internal constant MAX_DELTA_CEILING_BPS = 7500;
    uint256 internal constant NOTIONAL_CEILING_BPS = 15_000;
    uint256 internal constant VEGA_CEILING_BPS = 10_000;
    uint256 internal constant RESERVE_DISCOUNT_CEILING_BPS = 2000;
    uint256 internal constant BUY_BACK_PREMIUM_CEILING_BPS = 2000;
    uint256 internal constant DURATION_FLOOR = 5 minutes;
    uint256 internal constant DURATION_CEILING = 1 days;
    uint256 internal constant START_WINDOW_FLOOR = 1 minutes;
    uint256 internal constant START_WINDOW_CEILING = 6 hours;
    uint256 internal constant MAX_BID_FLOOR_BPS = 500;
    uint256 internal constant BPS = 10_000;
    uint256 internal constant SERIES_CEILING = 64;

    /// @notice Reverts with `Bounds.OutOfBounds` unless every limit is within its hard bounds.
    function requireWithinHardBounds(OptionLimits memory limits) internal pure {
        Bounds.requireWithin("minTenor", limits.minTenor, MIN_TENOR_FLOOR, limits.maxTenor);
        Bounds.requireWithin("maxTenor", limits.maxTenor, limits.minTenor, MAX_TENOR_CEILING);
        Bounds.requireWithin("minDeltaBps", limits.minDeltaBps, MIN_DELTA_FLOOR_BPS, limits.maxDeltaBps);
        Bounds.requireWithin("maxDeltaBps", limits.maxDeltaBps, limits.minDeltaBps, MAX_DELTA_CEILING_BPS);
        Bounds.requireWithin("maxNotionalBps", limits.maxNotionalBps, 0, NOTIONAL_CEILING_BPS);
        Bounds.requireWithin("maxVegaBps", limits.maxVegaBps, 0, VEGA_CEILING_BPS);
        Bounds.requireWithin("reserveDiscountBps", limits.reserveDiscountBps, 0, RESERVE_DISCOUNT_CEILING_BPS);
        Bounds.requireWithin("buyBackPremiumBps", limits.buyBackPremiumBps, 0, BUY_BACK_PREMIUM_CEILING_BPS);
        Bounds.requireWithin("auctionDuration", limits.auctionDuration, DURATION_FLOOR, DURATION_CEILING);
        Bounds.requireWithin("startWindow", limits.startWindow, START_WINDOW_FLOOR, START_WINDOW_CEILING);
        Bounds.requireWithin("minBidBps", limits.minBidBps, 0, limits.maxBidBps);
        Bounds.requireWithin("maxBidBps", limits.maxBidBps, MAX_BID_FLOOR_BPS, BPS);
        Bounds.requireWithin("maxSeries", limits.maxSeries, 0, SERIES_CEILING);
    }

    /// @notice Whether any limit of `next` is riskier than in `current`. Riskier is also what leaves less room to competing
    /// bidders: a shorter auction, a narrower start window, a larger least or greatest bid.
    function loosens(OptionLimits memory current, OptionLimits memory next) internal pure returns (bool) {
        return _written(current, next) || _auctioned(current, next);
    }

    function _written(OptionLimits memory current, OptionLimits memory next) private pure returns (bool) {
        return next.minTenor < current.minTenor || next.maxTenor > current.maxTenor
            || next.minDeltaBps < current.minDeltaBps || next.maxDeltaBps > current.maxDeltaBps
            || next.maxNotionalBps > current.maxNotionalBps || next.maxVegaBps > current.maxVegaBps
            || next.maxSeries > current.maxSeries;
    }

    function _auctioned(OptionLimits memory current, OptionLimits memory next) private pure returns (bool) {
        return next.reserveDiscountBps > current.reserveDiscountBps
            || next.buyBackPremiumBps > current.buyBackPremiumBps
            || next.auctionDuration < current.auctionDuration || next.startWindow < current.startWindow
            || next.minBidBps > current.minBidBps || next.maxBidBps > current.maxBidBps;
    }
}
