// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title ElementaryQ80
/// @notice Powers of two, logarithms of ratios and square roots of times, to about 1e-16, for `BlackScholes`.
/// @dev Qn: an integer that stands for itself over 2^n. Least-error rational approximations; scripts/reference/
/// approximations.py derives every constant and states the errors. NEG_ names carry the magnitude of a negative constant.
library ElementaryQ80 {
    /// @dev Numerator and denominator of tanh(u ln 2 / 2) / u in u^2; relative error at most 6.4e-14.
    uint256 private constant EXP_N1 = 0x1cdf85b46cfab24cc90adc;
    uint256 private constant EXP_N0 = 0x9dcbd2bf2901555cf277fd426ea95dd0970d4efbc3b;
    uint256 private constant EXP_D1 = 0x176fac2d1d2bd1eb302d0b8;
    uint256 private constant EXP_D0 = 0x1c74db52b41b3a6d074bb618202f7d54038992935d73;
    /// @dev Numerator and denominator of 2 artanh(z) / z in z^2, |z| <= 0.1722; relative error at most 1.9e-16.
    uint256 private constant LOG_N2 = 0x14a9b66609128c43946bee;
    uint256 private constant NEG_LOG_N1 = 0x94bab2c7a1eeb434ca8c4de85dc26cd082271273ba;
    uint256 private constant LOG_N0 = 0x9d7cb0575da127b4d24b4d36ad7a8aa6e7b5ca858a3a448ab2e41e824324b7;
    uint256 private constant LOG_D2 = 0x1c1ec95651e31217fec894;
    uint256 private constant NEG_LOG_D1 = 0x649ccc1d0b62a8437cfbe81e0a263d34119e18562b;
    uint256 private constant LOG_D0 = 0x4ebe582baed097e37bf69459356d0f58080957aac79d1bd543498721d11299;
    /// @dev ln 2, sqrt 2, and (r - 1) / (r + 1) at r = sqrt 2, 2 sqrt 2 and 4 sqrt 2: where a ratio needs halving.
    uint256 private constant LN2_Q80 = 0xb17217f7d1cf79abc9e4;
    uint256 private constant ROOT_TWO_Q80 = 0x16a09e667f3bcc908b2fb;
    uint256 private constant Z1_Q80 = 0x2bec333018866dee9a0a;
    uint256 private constant Z2_Q80 = 0x7a437c56e26f8d1f99ba;
    uint256 private constant Z3_Q80 = 0xb31638273cf8925055f1;
    /// @dev 2 / 9 and 8 / 9 over the root of the seconds of a year: the line a + b m nearest to sqrt(m) on [1, 16].
    uint256 private constant ROOT_SLOPE_Q80 = 0x297e6f3aa09ca4302;
    uint256 private constant ROOT_START_Q80 = 0xa5f9bcea827290c07;
    uint256 private constant YEAR = 31_536_000;

    /// @notice 2^power x scale = mantissa x 2^exponent; relative error at most 0.35 |fraction of power| x 6.4e-14 x 2.
    /// @param power in Q236, |power| < 2^254
    /// @param scale below 2^101, so that the product with a denominator below 2^93.1 stays inside the word
    /// @return mantissa scale x 2^u, u the signed fraction of `power` to the nearest integer, |u| <= 1/2
    /// @return exponent that integer
    /// @dev 2^u = (D + uN) / (D - uN). u in Q80 is at most 2^79 in absolute value, its square w at most 2^78. N < 2^172 in
    /// Q160 (2,532 x 2^160), u N < 2^251, D < 2^93 in Q80 (7,379 x 2^80), and |u N| < D / 5: the divisor is positive.
    function exp2(int256 power, uint256 scale) internal pure returns (uint256 mantissa, int256 exponent) {
        assembly {
            exponent := sar(236, add(power, shl(235, 1)))
            let u := sar(156, sub(power, shl(236, exponent)))
            let w := shr(80, mul(u, u))
            let n := sar(160, mul(u, add(mul(w, EXP_N1), EXP_N0)))
            let d := shr(80, add(mul(add(w, EXP_D1), w), EXP_D0))
            mantissa := div(mul(add(d, n), scale), sub(d, n))
        }
    }

    /// @notice ln(numerator / denominator) in Q80; relative error below 2e-16 for ratios between 1 / sqrt 2 and sqrt 2,
    /// absolute below 1e-16 elsewhere.
    /// @param numerator from 1 to 2^112 - 1
    /// @param denominator from 1 to 2^112 - 1
    /// @dev ln r = k ln 2 + 2 artanh(z), z = (r' - 1) / (r' + 1), r' = r / 2^k in [1 / sqrt 2, sqrt 2]. The smaller side is
    /// raised by 2^k and stays below twice the larger one, so the shifted difference stays below 2^195.
    function lnRatio(uint256 numerator, uint256 denominator) internal pure returns (int256 x) {
        int256 z;
        assembly {
            z := sdiv(shl(80, sub(numerator, denominator)), add(numerator, denominator))
            if gt(add(z, Z1_Q80), shl(1, Z1_Q80)) { x := 1 }
        }
        if (x != 0) (x, z) = _halve(numerator, denominator, z);
        assembly {
            // w < 2^75; both polynomials are positive, below 2^248 in Q240; |z| times the numerator stays below 2^166.
            let w := shr(80, mul(z, z))
            let n := shr(160, add(mul(sub(mul(add(w, LOG_N2), w), NEG_LOG_N1), w), LOG_N0))
            let d := shr(160, add(mul(sub(mul(LOG_D2, w), NEG_LOG_D1), w), LOG_D0))
            x := add(x, sdiv(mul(z, n), d))
        }
    }

    /// @notice sqrt(time / 1 year) in Q80, relative error below 1e-19; time from 1 to 2^32 - 1 seconds.
    /// @dev time = m x 16^j with m in [1, 16): the starting line is off by at most 1/9, and four steps of Newton's rule
    /// take that to 6.9e-3, 2.4e-5, 2.9e-10 and 4e-20. Nothing overflows: time x 2^160 < 2^192. No divisor is zero: the
    /// starting line is at least 2^67, and Newton's rule never falls under half of what it starts from.
    function rootOfYears(uint256 time) internal pure returns (uint256 root) {
        assembly {
            let e := shl(4, gt(time, 0xffff))
            e := or(e, shl(3, gt(shr(e, time), 0xff)))
            e := or(e, shl(2, gt(shr(e, time), 0xf)))
            e := shr(1, e)
            root := add(shl(e, ROOT_START_Q80), shr(e, mul(time, ROOT_SLOPE_Q80)))
            let square := div(shl(160, time), YEAR)
            root := shr(1, add(root, div(square, root)))
            root := shr(1, add(root, div(square, root)))
            root := shr(1, add(root, div(square, root)))
            root := shr(1, add(root, div(square, root)))
        }
    }

    /// @dev The halvings of `lnRatio`: k ln 2 with the sign of z, and z anew. Up to a ratio of 4 sqrt 2 two comparisons
    /// give k; beyond, k = floor(log2(sqrt 2 x ratio)), and the quotient is exact enough for a floor taken at 2^63.
    function _halve(uint256 numerator, uint256 denominator, int256 z)
        private
        pure
        returns (int256 base, int256 reduced)
    {
        uint256 k;
        assembly {
            let m := xor(z, mul(xor(z, sub(0, z)), slt(z, 0)))
            k := add(1, gt(m, Z2_Q80))
            if gt(m, Z3_Q80) { k := 0 }
        }
        if (k == 0) {
            (uint256 large, uint256 small) = z > 0 ? (numerator, denominator) : (denominator, numerator);
            // large x sqrt 2 in Q80 is below 2^193.
            k = Math.log2(large * ROOT_TWO_Q80 / (small << 80));
        }
        assembly {
            base := mul(k, LN2_Q80)
            switch sgt(z, 0)
            case 1 { denominator := shl(k, denominator) }
            default {
                numerator := shl(k, numerator)
                base := sub(0, base)
            }
            reduced := sdiv(shl(80, sub(numerator, denominator)), add(numerator, denominator))
        }
    }
}
