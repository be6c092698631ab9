// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import {ElementaryQ80} from "./ElementaryQ80.sol";

/// @title VolatilitySmile
/// @notice One smile per tenor, three numbers each: eSSVI in standardised log-moneyness.
///
/// With k = ln(strike / forward), theta = level^2 x tenor, z = k / sqrt(theta), x = convexity x z and rho the skew, total
/// variance is w(k) = theta f(rho, x), f = (1 + rho x + sqrt(x^2 + 2 rho x + 1)) / 2. The level is the volatility at the
/// money; there the slope in z of volatility over level is rho x convexity / 2.
///
/// No butterfly arbitrage (Gatheral and Jacquier, 2014): convexity^2 (1 + |rho|) <= 4 and convexity x sqrt(theta) x (1 +
/// |rho|) < 4. The second keeps the slopes of the wings under 2, Lee's bound. w >= theta (1 - rho^2).
///
/// No calendar arbitrage (Hendriks and Martini, 2017): with psi = convexity x sqrt(theta), theta, psi (1 + rho) and psi (1 -
/// rho) do not fall from a tenor to the next, and psi / theta does not rise. Proof: f(rho, x) is concave in rho and not
/// negative at rho = -1, so f / (1 + rho) falls in rho and f itself rises where x > 0, mirrored where x < 0. With r = psi2 /
/// psi1 (>= 1) that makes r f(rho2, x) >= f(rho1, x), and theta2 >= r theta1, in which w rises at fixed psi and rho.
///
/// How far a change of the three numbers moves volatility at a strike, any strike: |x f_x / f| <= 1 while rho^2 <= 1/2, so |d
/// ln volatility| <= 3/2 |d ln level| + 1/2 |d ln convexity| + 1/2 max |d ln (1 +- rho)|; the last from f / (1 + rho) as
/// above.
/// @dev Qn: an integer that stands for itself over 2^n. Inequalities between tenors are compared exactly, in integers.
library VolatilitySmile {
    using SafeCast for int256;
    using SafeCast for uint256;

    uint256 internal constant WAD = 1e18;
    uint256 internal constant BPS = 10_000;
    int256 private constant SIGNED_BPS = 10_000;
    int256 private constant ONE_Q80 = 1 << 80;
    uint256 internal constant YEAR = 365 days;
    uint256 internal constant PPM_SQUARED = 1e12;
    /// @notice Largest strike or forward, 5.19e15 in WAD: what a logarithm takes.
    uint256 internal constant MAX_PRICE = type(uint112).max;

    /// @notice A smile. Everything `post` may set, and nothing else.
    /// @param levelPpm volatility at the money, annualised, in millionths (0.8 is 800,000)
    /// @param skewBps rho, in 1e-4
    /// @param convexityBps curvature in standardised log-moneyness, in 1e-4
    struct Mark {
        uint32 levelPpm;
        int16 skewBps;
        uint16 convexityBps;
    }

    /// @notice convexity^2 (1 + |rho|) over 4 or convexity sqrt(theta) (1 + |rho|) not below 4.
    error ButterflyArbitrage(uint256 tenor, uint32 levelPpm, int16 skewBps, uint16 convexityBps);
    /// @notice Total variance falls from this tenor to the next at some strike. `rule` 0: level; 1: right wing; 2: left wing;
    /// 3: curvature falls too slowly.
    error CalendarArbitrage(uint256 tenor, uint256 nextTenor, uint8 rule);

    /// @notice Reverts unless one smile is free of butterfly arbitrage and its wings are within Lee's bound.
    /// @dev Below 2^30 x 2^15 on the left of the first; below 2^30 x 2^46 x 2^27 x 2^29 = 2^132 in the second.
    function requireNoButterfly(Mark memory mark, uint256 tenor) internal pure {
        uint256 convexity = mark.convexityBps;
        uint256 skewed = BPS + SignedMath.abs(mark.skewBps);
        bool curved = convexity * convexity * skewed > 4 * BPS ** 3;
        uint256 steep = convexity * convexity * _theta(mark, tenor) * skewed * skewed;
        if (curved || steep >= 16 * BPS ** 4 * PPM_SQUARED * YEAR) {
            revert ButterflyArbitrage(tenor, mark.levelPpm, mark.skewBps, mark.convexityBps);
        }
    }

    /// @notice Reverts unless total variance does not fall from `tenor` to `nextTenor`, at any strike.
    function requireNoCalendar(Mark memory mark, uint256 tenor, Mark memory next, uint256 nextTenor)
        internal
        pure
    {
        uint256 theta = _theta(mark, tenor);
        uint256 nextTheta = _theta(next, nextTenor);
        uint256 square = uint256(mark.convexityBps) * mark.convexityBps;
        uint256 nextSquare = uint256(next.convexityBps) * next.convexityBps;
        if (nextTheta < theta) revert CalendarArbitrage(tenor, nextTenor, 0);
        (uint256 right, uint256 left) = _sides(mark);
        (uint256 nextRight, uint256 nextLeft) = _sides(next);
        // Squares of psi (1 +- rho), then of psi / theta multiplied out; all below 2^134.
        if (nextTheta * nextSquare * nextRight * nextRight < theta * square * right * right) {
            revert CalendarArbitrage(tenor, nextTenor, 1);
        }
        if (nextTheta * nextSquare * nextLeft * nextLeft < theta * square * left * left) {
            revert CalendarArbitrage(tenor, nextTenor, 2);
        }
        if (nextSquare * theta > square * nextTheta) revert CalendarArbitrage(tenor, nextTenor, 3);
    }

    /// @notice No strike's volatility moves by more than e^move when `mark` becomes `next` (WAD, rounded up).
    function moveWadUp(Mark memory mark, Mark memory next) internal pure returns (uint256) {
        (uint256 right, uint256 left) = _sides(mark);
        (uint256 nextRight, uint256 nextLeft) = _sides(next);
        uint256 level = _relativeWadUp(mark.levelPpm, next.levelPpm);
        uint256 convexity = _relativeWadUp(mark.convexityBps, next.convexityBps);
        uint256 skew = Math.max(_relativeWadUp(right, nextRight), _relativeWadUp(left, nextLeft));
        return Math.ceilDiv(3 * level + convexity + skew, 2);
    }

    /// @notice w(k) of one smile, in ppm^2 x seconds in Q80, relative error below 1e-14.
    /// @param kQ80 ln(strike / forward), below 2^87 in absolute value
    function totalVariance(Mark memory mark, uint256 tenor, int256 kQ80) internal pure returns (uint256) {
        uint256 theta = _theta(mark, tenor);
        return varianceOf(theta, rootQ64Down(theta), mark.convexityBps, mark.skewBps, kQ80);
    }

    /// @notice sqrt(theta) in Q64, theta in ppm^2 x seconds, below 2^72.
    function rootQ64Down(uint256 theta) internal pure returns (uint256) {
        return rootDown((theta << 128) / (PPM_SQUARED * YEAR));
    }

    /// @notice w(k) from theta and its root, for marks within their bounds: |rho| < 1, a level of at least 5 %.
    /// @dev sqrt(theta) is at least 2^-11.3 (a level of 5 % over an hour), so x is below 2^20 in value, 2^100 in Q80; f below
    /// 2^101 in Q80, and the result below 2^174: nothing overflows. 1 + rho x cancels the root only down to 1 - rho^2, so what
    /// is made unsigned is positive. Unchecked and without casts it costs 780 gas instead of 2,720.
    function varianceOf(uint256 theta, uint256 rootQ64, uint256 convexityBps, int256 skewBps, int256 kQ80)
        internal
        pure
        returns (uint256)
    {
        unchecked {
            // forge-lint: disable-next-line(unsafe-typecast): below 2^79 and 2^81
            int256 x = kQ80 * int256(convexityBps << 64) / int256(rootQ64 * BPS);
            int256 rhoX = x * skewBps / SIGNED_BPS;
            int256 square = x * x + (2 * rhoX + ONE_Q80) * ONE_Q80; // Q160, at least 1 - rho^2
            // forge-lint: disable-next-line(unsafe-typecast): see above
            int256 f = (ONE_Q80 + rhoX + int256(rootDown(uint256(square)))) / 2;
            // forge-lint: disable-next-line(unsafe-typecast): see above
            return theta * uint256(f);
        }
    }

    /// @notice ln(strike / forward) in Q80; both from 1 to `MAX_PRICE`.
    function logMoneyness(uint256 strike, uint256 forward) internal pure returns (int256) {
        return ElementaryQ80.lnRatio(strike, forward);
    }

    /// @notice Annualised volatility, WAD, of a total variance over `time` seconds, rounded down.
    /// @dev The variance over time is below 2^154 x 2^20 / 1; times 1e24 (WAD^2 over ppm^2) below 2^254 while |x| stays below
    /// 2^20. Below 2^176 the product fits a word, as 1e24 is below 2^80, and no wider multiplication is needed: 250 gas less.
    function volatilityWadDown(uint256 variance, uint256 time) internal pure returns (uint256) {
        uint256 scale = WAD * WAD / PPM_SQUARED;
        if (variance >= 1 << 176) return rootDown(Math.mulDiv(variance, scale, time << 80));
        unchecked {
            return rootDown(variance * scale / (time << 80));
        }
    }

    /// @notice Square root, rounded down: as OpenZeppelin's, at 510 gas instead of 760. Every volatility needs three.
    /// @dev With 2^(e - 1) <= sqrt(a) < 2^e the start is 3/4 of 2^e: off by 2^(e - 2) at most. Newton's steps leave 2^(e - 4.5),
    /// then square what is left over 2^e each time: 2^(e - 144) after six, less than one unit as e <= 128, and from above. The
    /// last line takes the unit that may be left. 0 starts at 1 and divides to 0.
    function rootDown(uint256 a) internal pure returns (uint256 root) {
        assembly ("memory-safe") {
            let bits := shl(7, gt(a, 0xffffffffffffffffffffffffffffffff))
            bits := or(bits, shl(6, gt(shr(bits, a), 0xffffffffffffffff)))
            bits := or(bits, shl(5, gt(shr(bits, a), 0xffffffff)))
            bits := or(bits, shl(4, gt(shr(bits, a), 0xffff)))
            bits := or(bits, shl(3, gt(shr(bits, a), 0xff)))
            bits := or(bits, shl(2, gt(shr(bits, a), 0xf)))
            bits := or(bits, shl(1, gt(shr(bits, a), 0x3)))
            root := shr(1, shl(shr(1, bits), 3))
            root := shr(1, add(root, div(a, root)))
            root := shr(1, add(root, div(a, root)))
            root := shr(1, add(root, div(a, root)))
            root := shr(1, add(root, div(a, root)))
            root := shr(1, add(root, div(a, root)))
            root := shr(1, add(root, div(a, root)))
            root := sub(root, gt(root, div(a, root)))
        }
    }

    // ---------------------------------------------------------------- parts

    /// @dev theta, in ppm^2 x seconds: below 2^46 x 2^26.
    function _theta(Mark memory mark, uint256 tenor) private pure returns (uint256) {
        return uint256(mark.levelPpm) * mark.levelPpm * tenor;
    }

    /// @dev 1 + rho and 1 - rho in 1e-4; the caller bounds |rho| below 1.
    function _sides(Mark memory mark) private pure returns (uint256 right, uint256 left) {
        right = (SIGNED_BPS + mark.skewBps).toUint256();
        left = (SIGNED_BPS - mark.skewBps).toUint256();
    }

    /// @dev |a - b| / min(a, b), which is at least |ln(a / b)|; neither is 0.
    function _relativeWadUp(uint256 a, uint256 b) private pure returns (uint256) {
        (uint256 small, uint256 large) = a < b ? (a, b) : (b, a);
        return Math.ceilDiv((large - small) * WAD, small);
    }
}
