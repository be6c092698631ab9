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
    /// @dev ln 2 and sqrt 2; then the ratios between which a logarithm needs no halving, 1 / sqrt 2 and sqrt 2, as the first
    /// and what lies between; one halving further out on either side; two further out, again as lowest and span.
    uint256 private constant LN2_Q80 = 0xb17217f7d1cf79abc9e4;
    uint256 private constant ROOT_TWO_Q80 = 0x16a09e667f3bcc908b2fb;
    uint256 private constant RATIO_LOW_Q128 = 0xb504f333f9de6484597d89b3754abe9f;
    uint256 private constant RATIO_SPAN_Q128 = 0xb504f333f9de6484597d89b3754abe9f;
    uint256 private constant TWICE_RATIO_HIGH_Q128 = 0x2d413cccfe779921165f626cdd52afa7c;
    uint256 private constant HALF_RATIO_LOW_Q128 = 0x5a827999fcef32422cbec4d9baa55f50;
    uint256 private constant QUARTER_RATIO_LOW_Q128 = 0x2d413cccfe779921165f626cdd52afa8;
    uint256 private constant QUARTER_SPAN_Q128 = 0x57ae65cd2d07b8b01b58ceb2ecd034551;
    /// @dev The line that starts `rootOfYears`, and time over YEAR scaled for its first two steps.
    uint256 private constant ROOT_START_Q80 = 0xa68df1d0487a6c397;
    uint256 private constant ROOT_SLOPE_Q100 = 0x266a8399120332ba445;
    uint256 private constant ROOT_FIRST_Q160 = 0x1a05b462774d1d995a5938be41539c1e6;
    uint256 private constant ROOT_SECOND_Q160 = 0x1af36bb22780d1e80e028d381c3ed518ea;
    uint256 private constant YEAR = 31_536_000;

    /// @notice 2^power x scale = mantissa x 2^exponent; relative error at most 4.6e-14 |u| (u below).
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
    /// absolute below 1e-16 x the result elsewhere, and 2^-78 anywhere.
    /// @param numerator from 1 to 2^112 - 1
    /// @param denominator from 1 to 2^112 - 1
    /// @dev ln r = k ln 2 + 2 artanh(z), z = (r' - 1) / (r' + 1), r' = r / 2^k in [1 / sqrt 2, sqrt 2]. In Q128 the ratio is
    /// below 2^240; k is -2..2 where |ln r| <= 2.5 ln 2, and shifting by 2 up, then by 2 + k down, keeps it in the word.
    function lnRatio(uint256 numerator, uint256 denominator) internal pure returns (int256 x) {
        uint256 ratio;
        bool far;
        assembly {
            ratio := div(shl(128, numerator), denominator)
            if gt(sub(ratio, RATIO_LOW_Q128), RATIO_SPAN_Q128) {
                // RATIO_SPAN is 1 / sqrt 2 too, so twice it is sqrt 2.
                x := add(gt(ratio, shl(1, RATIO_SPAN_Q128)), gt(ratio, TWICE_RATIO_HIGH_Q128))
                x := sub(x, add(lt(ratio, RATIO_LOW_Q128), lt(ratio, HALF_RATIO_LOW_Q128)))
                far := gt(sub(ratio, QUARTER_RATIO_LOW_Q128), QUARTER_SPAN_Q128)
                ratio := shr(add(2, x), shl(2, ratio))
                x := mul(x, LN2_Q80)
            }
        }
        if (far) (x, ratio) = _halve(numerator, denominator);
        assembly {
            // |z| < 2^77.5 and w < 2^75; both polynomials are positive, below 2^248 in Q240; z n stays below 2^166.
            let z := sdiv(shl(80, sub(ratio, shl(128, 1))), add(ratio, shl(128, 1)))
            let w := shr(80, mul(z, z))
            let n := shr(160, sub(LOG_N0, mul(sub(NEG_LOG_N1, mul(add(w, LOG_N2), w)), w)))
            let d := shr(160, sub(LOG_D0, mul(sub(NEG_LOG_D1, mul(LOG_D2, w)), w)))
            x := add(x, sdiv(mul(z, n), d))
        }
    }

    /// @notice sqrt(time / 1 year) in Q80, relative error below 4e-20; time from 1 second to ten years.
    /// @dev A line in time is within a factor of 8.2 either way; two steps of Newton's rule, each scaled to balance its error
    /// (the scaling is folded into what is divided), take that to 2.04 and 1.124, four plain ones to 6.9e-3, 2.4e-5, 2.9e-10
    /// and 4e-20. time < 2^29 keeps every product below 2^191; no divisor is zero, as the line is at least 2^67.
    function rootOfYears(uint256 time) internal pure returns (uint256 root) {
        assembly {
            root := add(ROOT_START_Q80, shr(20, mul(time, ROOT_SLOPE_Q100)))
            root := add(root, div(mul(time, ROOT_FIRST_Q160), root))
            root := add(root, div(mul(time, ROOT_SECOND_Q160), root))
            let square := div(shl(160, time), YEAR)
            root := shr(1, add(root, div(square, root)))
            root := shr(1, add(root, div(square, root)))
            root := shr(1, add(root, div(square, root)))
            root := shr(1, add(root, div(square, root)))
        }
    }

    /// @dev k ln 2 and the ratio over 2^k in Q128, for ratios far from 1: k = floor(log2(sqrt 2 x ratio)), of the larger side
    /// over the smaller. The smaller is then raised by 2^k, which leaves it below sqrt 2 times the larger.
    function _halve(uint256 numerator, uint256 denominator)
        private
        pure
        returns (int256 base, uint256 ratio)
    {
        bool up = numerator > denominator;
        (uint256 large, uint256 small) = up ? (numerator, denominator) : (denominator, numerator);
        assembly {
            ratio := div(mul(large, ROOT_TWO_Q80), shl(80, small)) // below 2^193 over at least 2^80
        }
        uint256 k = Math.log2(ratio);
        assembly {
            base := mul(k, LN2_Q80)
            small := shl(k, small)
            switch up
            case 1 { ratio := div(shl(128, large), small) }
            default {
                ratio := div(shl(128, small), large)
                base := sub(0, base)
            }
        }
    }
}
