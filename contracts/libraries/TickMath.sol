// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";

/// @title TickMath
/// @notice The price a Uniswap v3 tick stands for: 1.0001^tick raw token1 per raw token0.
/// @dev Ticks beyond `MAX_TICK` either way (a raw ratio beyond 2^±64) are refused. Decimals of 6 to 18 on both sides leave more
/// than six orders of magnitude of price inside that range, and 64 significant bits at its edge.
library TickMath {
    /// @notice floor(64 x ln 2 / ln 1.0001): the last tick whose ratio is at least 2^-64.
    int24 internal constant MAX_TICK = 443_636;

    error TickOutOfRange(int256 tick, int256 maxTick);

    /// @notice 1.0001^-steps in Q128, rounded down. 2^128 for steps == 0, at least 2^64 - 1 for steps <= MAX_TICK.
    /// @dev Binary powers: constant i is floor(1.0001^-(2^i) x 2^128). Each product is below 2^256, as the running ratio is at
    /// most 2^128 and every constant is below 2^128; each step loses less than one unit.
    function inverseRatioX128Down(uint256 steps) internal pure returns (uint256 ratio) {
        ratio = 1 << 128;
        if (steps & 0x1 != 0) ratio = (ratio * 0xfff97272373d413259a46990580e2139) >> 128;
        if (steps & 0x2 != 0) ratio = (ratio * 0xfff2e50f5f656932ef12357cf3c7fdcb) >> 128;
        if (steps & 0x4 != 0) ratio = (ratio * 0xffe5caca7e10e4e61c3624eaa0941ccf) >> 128;
        if (steps & 0x8 != 0) ratio = (ratio * 0xffcb9843d60f6159c9db58835c926643) >> 128;
        if (steps & 0x10 != 0) ratio = (ratio * 0xff973b41fa98c081472e6896dfb254bf) >> 128;
        if (steps & 0x20 != 0) ratio = (ratio * 0xff2ea16466c96a3843ec78b326b52860) >> 128;
        if (steps & 0x40 != 0) ratio = (ratio * 0xfe5dee046a99a2a811c461f1969c3052) >> 128;
        if (steps & 0x80 != 0) ratio = (ratio * 0xfcbe86c7900a88aedcffc83b479aa3a3) >> 128;
        if (steps & 0x100 != 0) ratio = (ratio * 0xf987a7253ac413176f2b074cf7815e53) >> 128;
        if (steps & 0x200 != 0) ratio = (ratio * 0xf3392b0822b70005940c7a398e4b70f2) >> 128;
        if (steps & 0x400 != 0) ratio = (ratio * 0xe7159475a2c29b7443b29c7fa6e889d8) >> 128;
        if (steps & 0x800 != 0) ratio = (ratio * 0xd097f3bdfd2022b8845ad8f792aa5825) >> 128;
        if (steps & 0x1000 != 0) ratio = (ratio * 0xa9f746462d870fdf8a65dc1f90e061e4) >> 128;
        if (steps & 0x2000 != 0) ratio = (ratio * 0x70d869a156d2a1b890bb3df62baf32f6) >> 128;
        if (steps & 0x4000 != 0) ratio = (ratio * 0x31be135f97d08fd981231505542fcfa5) >> 128;
        if (steps & 0x8000 != 0) ratio = (ratio * 0x09aa508b5b7a84e1c677de54f3e99bc8) >> 128;
        if (steps & 0x10000 != 0) ratio = (ratio * 0x005d6af8dedb81196699c329225ee604) >> 128;
        if (steps & 0x20000 != 0) ratio = (ratio * 0x00002216e584f5fa1ea926041bedfe97) >> 128;
        if (steps & 0x40000 != 0) ratio = (ratio * 0x00000000048a170391f7dc42444e8fa2) >> 128;
    }

    /// @notice Quote per whole base, WAD, rounded down, at `tick` of a pool of base and quote.
    /// @param baseDecimals decimals of the base token, at most 18
    /// @param quoteDecimals decimals of the quote token, at most 18
    function priceWadDown(int256 tick, bool baseIsToken0, uint8 baseDecimals, uint8 quoteDecimals)
        internal
        pure
        returns (uint256)
    {
        if (tick > MAX_TICK || tick < -int256(MAX_TICK)) revert TickOutOfRange(tick, MAX_TICK);
        uint256 ratio = inverseRatioX128Down(SignedMath.abs(tick));
        uint256 numerator = 10 ** (uint256(baseDecimals) + 18);
        uint256 denominator = 10 ** uint256(quoteDecimals);
        // Quote is worth less than base in raw units exactly when token1 per token0 points the same way as quote per base.
        if (baseIsToken0 == (tick < 0)) return Math.mulDiv(ratio, numerator, denominator << 128);
        // Cannot overflow: 2^128 x 10^36 / 2^63 < 2^186. Rounding the ratio up keeps the quotient rounded down.
        return Math.mulDiv(1 << 128, numerator, (tick == 0 ? ratio : ratio + 20) * denominator);
    }
}
