// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ElementaryQ80} from "./ElementaryQ80.sol";

/// @title GaussQ80
/// @notice The normal density phi and Mills' ratio R(y) = (1 - Phi(y)) / phi(y): Phi(-y) = phi(y) R(y) with a small
/// *relative* error however far the tail, which no rational approximation of Phi itself gives.
/// @dev R is analytic in t = 6 / (6 + y), at y = infinity too, so one polynomial in t covers [-1/4, infinity):
/// R = t P(t), P of degree 19 by Remez' exchange, relative error at most 6.8e-15, and as the error is smooth, differences
/// R(a) - R(b) of near arguments keep a relative error below 2e-13. scripts/reference/approximations.py derives every
/// constant; coefficients of even power are in Q160, of odd power in Q240, the first in Q80. Qn: times 2^n.
library GaussQ80 {
    /// @dev 1 / sqrt(2 pi)
    uint256 private constant INVERSE_ROOT_TWO_PI_Q100 = 0x662114cf50d942343f2cf1403;
    /// @dev log2(e) / 2
    uint256 private constant HALF_LOG2_E_Q76 = 0xb8aa3b295c17f0bbbe8;

    uint256 private constant P19 = 0x12b579d6f331e699965;
    uint256 private constant NEG_P18 = 0x00000aac77b8729e183ed9d5458ac03986585475abfe;
    uint256 private constant P17 = 0x2a63850a2b31e195f6371e7f3d04378eb55a93ae17dbcc6aae96dcb43abd;
    uint256 private constant NEG_P16 = 0x000060c6a2d0f459825098a5a31a0500f387a26c34b7;
    uint256 private constant P15 = 0x908aeccb9de1bb91164dbf2db1306ebfc7f42aec68407ffca3b6f1f48cf6;
    uint256 private constant NEG_P14 = 0x00009b7449e50e0bf14272f0115cb8554f872ea36bad;
    uint256 private constant P13 = 0x7c3146ad829b4b3919a734840a8e9ad5aa3218f09ba771779ee1394b548f;
    uint256 private constant NEG_P12 = 0x000048d3e0149f13d2630f7495889969c9370595725b;
    uint256 private constant P11 = 0x26dd5651dcd4e7be98f764f2e9220fdfba6c3366b7ce7f7b44bd6d3d4d23;
    uint256 private constant NEG_P10 = 0x00000512ff914927da305c8e7480b6affc43a9cb3cd4;
    uint256 private constant P9 = 0xeb3fc5b7a0a45fab3e50b2ed61eda0c67dc9b2ef8953acfdcef84040f4f;
    uint256 private constant P8 = 0x00000f4ff96f285f8d33aad6ea22d8d9377c1ebc1ed1;
    uint256 private constant P7 = 0x153f15ecdc5ebe5d8fbc111513eb93e7a8d12e3549f7a64f7b915d991acd;
    uint256 private constant P6 = 0x00001a583c43a096db1f0bb0c2a4c8bc58de33ad29c6;
    uint256 private constant P5 = 0x1f4f3f8112f088470349eec4764dc2a50a9ff6a7a37528f191b47c30890e;
    uint256 private constant P4 = 0x000023a77e93cca9c2a49ce0e8d6ab3bd21d333c45de;
    uint256 private constant P3 = 0x271c71dd4f5216817d1d509a656b8c20960b71eb3602745f3cc2b0fa0d3d;
    uint256 private constant P2 = 0x0000297b425e841e277c67470c4d1097af7dc6c6d937;
    uint256 private constant P1 = 0x2aaaaaaaaae3624152d32ac2cf8524080a4481d06d1c79c9e292d20afbe2;
    uint256 private constant P0 = 0x00002aaaaaaaaaaaf09c332c967e0371c3a41501cc28;

    /// @notice phi(d) in Q100, rounded down; |d| < 2^88 in Q80 (256 standard deviations), else the square would overflow.
    /// @dev phi(d) = 2^-(d^2 log2(e) / 2) / sqrt(2 pi). d^2 < 2^176, times 2^75.6 stays below 2^252: the exponent is a
    /// valid int256 in Q236. It is not positive, so neither is the power of two split off, and -exponent is a shift.
    function density(int256 d) internal pure returns (uint256 phi) {
        int256 power;
        assembly {
            power := sub(0, mul(mul(d, d), HALF_LOG2_E_Q76))
        }
        int256 exponent;
        (phi, exponent) = ElementaryQ80.exp2(power, INVERSE_ROOT_TWO_PI_Q100);
        assembly {
            phi := shr(sub(0, exponent), phi)
        }
    }

    /// @notice R(y) in Q80 for y >= -1/4 in Q80 (y below 2^169).
    /// @dev t = 6 / (6 + y) is in (0, 1.05], so t in Q80 is below 2^80.1. Each line takes two steps of Horner's rule and one
    /// shift: r in Q80, r t + c in Q160, (r t + c) t + c' in Q240, back to Q80. No coefficient exceeds 0.61 and no partial
    /// sum on the interval 1.49, in absolute value: Q160 values stay below 2^161, Q240 values below 2^241. `sar` keeps the
    /// sign of partial sums; the result is positive. A shift loses less than 2^-80. Where a coefficient is negative both are
    /// written as c' - (|c| - r t) t: solc would spend an instruction more on adding a negative constant.
    function mills(int256 y) internal pure returns (uint256 r) {
        assembly {
            let t := div(shl(160, 6), add(y, shl(80, 6)))
            r := sar(160, sub(P17, mul(sub(NEG_P18, mul(P19, t)), t)))
            r := sar(160, sub(P15, mul(sub(NEG_P16, mul(r, t)), t)))
            r := sar(160, sub(P13, mul(sub(NEG_P14, mul(r, t)), t)))
            r := sar(160, sub(P11, mul(sub(NEG_P12, mul(r, t)), t)))
            r := sar(160, sub(P9, mul(sub(NEG_P10, mul(r, t)), t)))
            r := sar(160, add(mul(add(mul(r, t), P8), t), P7))
            r := sar(160, add(mul(add(mul(r, t), P6), t), P5))
            r := sar(160, add(mul(add(mul(r, t), P4), t), P3))
            r := sar(160, add(mul(add(mul(r, t), P2), t), P1))
            r := sar(160, mul(add(mul(r, t), P0), t))
        }
    }
}
