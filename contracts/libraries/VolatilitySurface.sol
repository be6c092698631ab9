// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {VolatilitySmile} from "./VolatilitySmile.sol";

/// @title VolatilitySurface
/// @notice Smiles of fixed tenors, two words of storage for all, and the volatility between them.
///
/// Between tenors total variance is linear in time at the same strike; before the first, volatility is the first tenor's.
/// What depends on a tenor alone is worked out once, when it is first needed: a book of options pays for its roots of theta by
/// tenor.
library VolatilitySurface {
    uint256 internal constant MAX_TENORS = 8;
    uint256 private constant MARK_BITS = 64;
    uint256 private constant MARKS_PER_WORD = 4;
    uint256 private constant TENOR_BITS = 32;

    /// @notice Mark i in 64 bits of word i / 4: level, convexity, skew from the lowest bit up.
    struct Packed {
        uint256 low;
        uint256 high;
    }

    /// @param tenors tenor i in bits 32 i to 32 i + 31; 0 beyond the last
    /// @param roots square root of theta by tenor, Q64; 0 until it was needed
    struct Surface {
        uint256 tenors;
        Packed marks;
        uint256[MAX_TENORS] roots;
    }

    // ---------------------------------------------------------------- marks

    function pack(VolatilitySmile.Mark[] memory marks) internal pure returns (Packed memory packed) {
        for (uint256 i; i < marks.length; ++i) {
            VolatilitySmile.Mark memory mark = marks[i];
            // forge-lint: disable-next-line(unsafe-typecast): the 16 bits of the skew, read back as signed
            uint256 bits = uint256(mark.levelPpm) | uint256(mark.convexityBps) << 32
                | uint256(uint16(mark.skewBps)) << 48;
            bits <<= MARK_BITS * (i % MARKS_PER_WORD);
            if (i < MARKS_PER_WORD) packed.low |= bits;
            else packed.high |= bits;
        }
    }

    function markAt(Packed memory packed, uint256 i) internal pure returns (VolatilitySmile.Mark memory) {
        (uint256 level, uint256 convexity, int256 skew) = _numbers(packed, i);
        // forge-lint: disable-next-line(unsafe-typecast): as wide as they were packed
        return VolatilitySmile.Mark(uint32(level), int16(skew), uint16(convexity));
    }

    function tenorAt(uint256 tenors, uint256 i) internal pure returns (uint256) {
        unchecked {
            return (tenors >> (TENOR_BITS * i)) & type(uint32).max;
        }
    }

    // ---------------------------------------------------------------- volatility

    /// @notice The posted volatility, WAD, rounded down, before any floor.
    /// @param kQ80 ln(strike / forward)
    /// @param time seconds to expiry, from 1 to the last tenor
    /// @dev Variances are below 2^174, times below 2^26: sums of products stay below 2^201.
    function volatilityWadDown(Surface memory surface, int256 kQ80, uint256 time)
        internal
        pure
        returns (uint256)
    {
        uint256 i;
        uint256 previous;
        uint256 tenor = tenorAt(surface.tenors, 0);
        unchecked {
            while (tenor < time) (previous, tenor) = (tenor, tenorAt(surface.tenors, ++i)); // ends: time is at most the last
            uint256 variance = _variance(surface, i, tenor, kQ80);
            if (i == 0 || tenor == time) return VolatilitySmile.volatilityWadDown(variance, tenor);
            uint256 before = _variance(surface, i - 1, previous, kQ80);
            uint256 weighted = before * (tenor - time) + variance * (time - previous);
            return VolatilitySmile.volatilityWadDown(weighted, time * (tenor - previous));
        }
    }

    // ---------------------------------------------------------------- parts

    /// @dev theta is below 2^72. Unchecked: all numbers are as wide as they were packed.
    function _variance(Surface memory surface, uint256 i, uint256 tenor, int256 kQ80)
        private
        pure
        returns (uint256)
    {
        (uint256 level, uint256 convexity, int256 skew) = _numbers(surface.marks, i);
        unchecked {
            uint256 theta = level * level * tenor;
            uint256 rootQ64 = surface.roots[i];
            if (rootQ64 == 0) surface.roots[i] = rootQ64 = VolatilitySmile.rootQ64Down(theta);
            return VolatilitySmile.varianceOf(theta, rootQ64, convexity, skew, kQ80);
        }
    }

    function _numbers(Packed memory packed, uint256 i)
        private
        pure
        returns (uint256 level, uint256 convexity, int256 skew)
    {
        unchecked {
            uint256 bits =
                (i < MARKS_PER_WORD ? packed.low : packed.high) >> (MARK_BITS * (i % MARKS_PER_WORD));
            (level, convexity) = (bits & type(uint32).max, (bits >> 32) & type(uint16).max);
            // forge-lint: disable-next-line(unsafe-typecast): the 16 bits that were packed
            skew = int16(uint16(bits >> 48));
        }
    }
}
