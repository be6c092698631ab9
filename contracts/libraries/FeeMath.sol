// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title FeeMath
/// @notice Fees as new shares, rounded down, under hard ceilings (V-13).
library FeeMath {
    uint256 internal constant BPS = 10_000;
    uint256 internal constant YEAR = 365 days;
    /// @notice Of NAV a year.
    uint256 internal constant MANAGEMENT_CEILING_BPS = 300;
    /// @notice Of what a share gains over its high-water mark.
    uint256 internal constant PERFORMANCE_CEILING_BPS = 3000;
    /// @notice A mark is asset units of one whole share, with so many more digits.
    uint256 internal constant MARK = 1e12;

    /// @notice New shares that are at most `bps` a year of all shares after them, over `elapsed` seconds. More than a year counts
    /// as a year, so that a vault nobody settled cannot be taken whole.
    function managementSharesDown(uint256 supply, uint256 bps, uint256 elapsed)
        internal
        pure
        returns (uint256)
    {
        uint256 part = bps * Math.min(elapsed, YEAR);
        return Math.mulDiv(supply, part, BPS * YEAR - part);
    }

    /// @notice Asset units of one whole share, times MARK; rounded down.
    /// @param supply shares, virtual ones included; not 0
    function perShareDown(uint256 supply, uint256 nav, uint256 wholeShare) internal pure returns (uint256) {
        return Math.mulDiv(nav, MARK * wholeShare, supply);
    }

    /// @notice New shares worth `bps` of the gain over `mark`; 0 at or below it.
    /// @param supply shares, virtual ones included; not 0
    /// @param mark of `perShareDown`
    function performanceSharesDown(uint256 supply, uint256 nav, uint256 wholeShare, uint256 mark, uint256 bps)
        internal
        pure
        returns (uint256)
    {
        uint256 floor = Math.mulDiv(mark, supply, MARK * wholeShare, Math.Rounding.Ceil);
        if (nav <= floor) return 0;
        uint256 fee = Math.mulDiv(nav - floor, bps, BPS);
        return Math.mulDiv(supply, fee, nav - fee);
    }
}
