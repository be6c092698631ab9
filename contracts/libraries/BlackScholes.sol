// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import {ElementaryQ80} from "./ElementaryQ80.sol";
import {GaussQ80} from "./GaussQ80.sol";

/// @title BlackScholes
/// @notice European call and put prices and their Greeks, in one pass, without cancellation.
///
/// Units: spot, strike and everything returned in WAD; time in seconds, a year of 365 days; volatility annualised, WAD
/// (0.8e18 is 80 %); rate continuously compounded, annualised, WAD, signed. For a forward with no discounting pass the
/// forward as spot and rate 0 (Black 1976); multiply by the discount factor where one applies.
///
/// Accuracy: for spot / strike in 0.2-5, time in one minute to two years, volatility in 5-400 % and |rate| <= 20 %, prices
/// are within 1e-11 of the exact value, relatively, where it is at least 1e-6 x spot, and within 1e-15 x spot elsewhere;
/// delta is within 1e-11; vega and gamma are within 1e-11 relatively, down to 1e-6 of what they can be at most. The grid of
/// the results, 1e-18, comes on top: it matters for spots below 1 and for gammas of large spots. Measured over 120,000
/// options: prices 8.9e-13 (nearly all of it that grid, at spots near 1) and 1e-18 x spot, delta 6e-15, vega and gamma
/// 3e-14. Beyond that domain, up to the limits below, the bounds that follow still hold.
///
/// Bounds, always: call - put == spot - discountedStrike exactly; max(0, spot - discountedStrike) <= call <= spot;
/// max(0, discountedStrike - spot) <= put <= discountedStrike; 0 <= delta <= 1; vega, gamma >= 0. The discounted strike is
/// strike x e^(-rate x time), rounded down.
///
/// Edges are limits: at time 0 or volatility 0 the intrinsic value and a delta of 0, 1/2 or 1; spot 0 or strike 0 as worth
/// nothing or everything. What has no limit reverts: gamma at the kink (`GammaUnbounded`), spot and strike both 0.
///
/// @dev With x = ln(spot / strike) + rate T, s = volatility sqrt(T), d1,2 = x / s +- s / 2 and Mills' ratio
/// R(y) = (1 - Phi(y)) / phi(y), the identity spot phi(d1) = strike e^(-rate T) phi(d2) turns the out-of-the-money price
/// into spot phi(d1) (R(a) - R(b)), a = |x| / s - s / 2, b = |x| / s + s / 2: one exponential, and two terms that do not
/// nearly cancel as spot Phi(d1) - strike Phi(d2) does. The other side follows from parity in integers. For a < -1/4
/// R(a) = 1 / phi(a) - R(-a) gives call = spot - spot phi(d1) (R(-a) + R(b)) instead, on either side of the strike.
/// Qn: an integer that stands for itself over 2^n.
library BlackScholes {
    uint256 internal constant WAD = 1e18;
    /// @notice Largest spot or strike: 5.19e15 in WAD.
    uint256 internal constant MAX_PRICE = 0xffffffffffffffffffffffffffff;
    /// @notice Largest time to expiry in seconds: ten years.
    uint256 internal constant MAX_TIME = 315_360_000;
    /// @notice Largest volatility: 10,000 %.
    uint256 internal constant MAX_VOLATILITY = 100e18;
    /// @notice Largest rate of either sign: 100 %.
    uint256 internal constant MAX_RATE = 1e18;

    /// @dev 1 / seconds of a year / WAD, and the same times log2(e).
    uint256 private constant RATE_TO_LN_Q230 = 0x27413bf535580e878db18be8573a273a639e9;
    uint256 private constant RATE_TO_LOG2_Q236 = 0xe287ebe37c7f8e72f4b5487ac1bd214c62b0da;
    /// @dev A log-moneyness beyond any other that still survives a shift by 80: stands for infinity.
    int256 private constant FAR = 1 << 170;
    /// @dev 64 standard deviations in Q80: beyond, the density is below 2^-2954.
    int256 private constant FAR_OUT_Q80 = 64 << 80;
    uint256 private constant ONE_Q100 = 0x10000000000000000000000000;

    /// @notice At the kink, time or volatility 0 and spot at the discounted strike, gamma has no finite limit.
    error GammaUnbounded(uint256 spot, uint256 strike, uint256 timeToExpiry, uint256 volatility);
    error PriceOutOfRange(uint256 spot, uint256 strike, uint256 maximum);
    error RateOutOfRange(int256 rate, uint256 maximum);
    error TimeOutOfRange(uint256 timeToExpiry, uint256 maximum);
    error VolatilityOutOfRange(uint256 volatility, uint256 maximum);
    /// @notice Neither side is worth anything: ratios of them do not exist.
    error ZeroSpotAndStrike();

    /// @notice Prices of the call and of the put, per unit of the underlying.
    function price(uint256 spot, uint256 strike, uint256 timeToExpiry, uint256 volatility, int256 rate)
        internal
        pure
        returns (uint256 callPrice, uint256 putPrice)
    {
        (int256 x, uint256 s,, uint256 discounted) = _state(spot, strike, timeToExpiry, volatility, rate);
        (callPrice, putPrice,,) = _value(spot, discounted, x, s);
    }

    /// @notice Prices, the call's delta (the put's is `delta` - 1e18) and the vega of both, per 1.00 of volatility.
    function priceDeltaVega(
        uint256 spot,
        uint256 strike,
        uint256 timeToExpiry,
        uint256 volatility,
        int256 rate
    ) internal pure returns (uint256 callPrice, uint256 putPrice, uint256 delta, uint256 vega) {
        (int256 x, uint256 s, uint256 root, uint256 discounted) =
            _state(spot, strike, timeToExpiry, volatility, rate);
        (callPrice, putPrice, delta, vega) = _value(spot, discounted, x, s);
        vega = _vega(spot, vega, root);
    }

    /// @notice As `priceDeltaVega`, and the gamma of both: change of delta per unit of spot.
    function greeks(uint256 spot, uint256 strike, uint256 timeToExpiry, uint256 volatility, int256 rate)
        internal
        pure
        returns (uint256 callPrice, uint256 putPrice, uint256 delta, uint256 vega, uint256 gamma)
    {
        uint256 s;
        uint256 root;
        {
            int256 x;
            uint256 discounted;
            (x, s, root, discounted) = _state(spot, strike, timeToExpiry, volatility, rate);
            // `_edge` reports a spread of one unit for none at all, which no positive time and volatility can have.
            if (s == 1 && x == 0) revert GammaUnbounded(spot, strike, timeToExpiry, volatility);
            (callPrice, putPrice, delta, gamma) = _value(spot, discounted, x, s);
        }
        vega = _vega(spot, gamma, root);
        // phi < 2^99 and s >= 1: phi x WAD / s stays below 2^159 in Q20, and that times WAD below 2^219. At spot 0 gamma's
        // limit is 0, as is phi there.
        assembly {
            gamma := div(mul(div(mul(gamma, WAD), s), WAD), shl(20, spot))
        }
    }

    /// @dev spot phi sqrt(T), with phi in Q100 and root in Q80: below 2^99 x 2^82 / 2^80 x 2^112.
    function _vega(uint256 spot, uint256 phi, uint256 root) private pure returns (uint256 vega) {
        assembly {
            vega := shr(100, mul(spot, shr(80, mul(phi, root))))
        }
    }

    /// @dev Log-moneyness x in Q80, spread s = volatility sqrt(T) in Q80, root = sqrt(T) in Q80, and the discounted strike.
    /// Limits: |x| <= ln(2^112) + 10 < 2^7, root < 3.17 and s < 317, so s in Q80 is below 2^89. s is at least 2^7: the root
    /// of one second is 2^67.5 in Q80, and a unit of volatility 2^-59.8.
    function _state(uint256 spot, uint256 strike, uint256 timeToExpiry, uint256 volatility, int256 rate)
        private
        pure
        returns (int256 x, uint256 s, uint256 root, uint256 discounted)
    {
        bool ordinary;
        assembly {
            // One branch for all limits and zeros: subtracting 1 turns 0 into the largest word. A rate is in range if
            // adding the limit brings it to 0..2 x limit.
            ordinary := and(
                and(lt(sub(spot, 1), MAX_PRICE), lt(sub(strike, 1), MAX_PRICE)),
                and(lt(sub(timeToExpiry, 1), MAX_TIME), lt(sub(volatility, 1), MAX_VOLATILITY))
            )
            ordinary := and(ordinary, iszero(gt(add(rate, MAX_RATE), shl(1, MAX_RATE))))
        }
        if (!ordinary) return _edge(spot, strike, timeToExpiry, volatility, rate);
        root = ElementaryQ80.rootOfYears(timeToExpiry);
        x = ElementaryQ80.lnRatio(spot, strike);
        assembly {
            s := div(mul(root, volatility), WAD) // 2^82 x 2^67
        }
        if (rate == 0) return (x, s, root, strike);
        discounted = _discounted(strike, timeToExpiry, rate);
        unchecked {
            x += _growth(timeToExpiry, rate);
        }
    }

    /// @dev What `_state` says where an input is 0, and which limit is broken. The spread is reported as 1, and x as 0 or
    /// infinite, where there is no spread; x is infinite where spot or strike is nothing.
    function _edge(uint256 spot, uint256 strike, uint256 timeToExpiry, uint256 volatility, int256 rate)
        private
        pure
        returns (int256 x, uint256 s, uint256 root, uint256 discounted)
    {
        if (spot > MAX_PRICE || strike > MAX_PRICE) revert PriceOutOfRange(spot, strike, MAX_PRICE);
        if (timeToExpiry > MAX_TIME) revert TimeOutOfRange(timeToExpiry, MAX_TIME);
        if (volatility > MAX_VOLATILITY) revert VolatilityOutOfRange(volatility, MAX_VOLATILITY);
        if (SignedMath.abs(rate) > MAX_RATE) revert RateOutOfRange(rate, MAX_RATE);
        if (spot == 0 && strike == 0) revert ZeroSpotAndStrike();
        discounted = _discounted(strike, timeToExpiry, rate);
        if (timeToExpiry != 0) root = ElementaryQ80.rootOfYears(timeToExpiry);
        s = root * volatility / WAD;
        if (spot == 0) x = -FAR;
        else if (strike == 0) x = FAR;
        else x = ElementaryQ80.lnRatio(spot, strike) + _growth(timeToExpiry, rate);
        if (s == 0) {
            s = 1;
            if (x != 0) x = x > 0 ? FAR : -FAR;
        }
    }

    /// @dev rate x T in Q80: |rate x time| < 2^89, times 2^146 below 2^235.
    function _growth(uint256 timeToExpiry, int256 rate) private pure returns (int256 growth) {
        assembly {
            growth := sar(150, mul(mul(rate, timeToExpiry), RATE_TO_LN_Q230))
        }
    }

    /// @dev strike e^(-rate T), rounded down: |exponent| < 15 and the mantissa is below 2^100.5, so it is below 2^127.5; the
    /// product before the shift is below 2^212.5.
    function _discounted(uint256 strike, uint256 timeToExpiry, int256 rate)
        private
        pure
        returns (uint256 discounted)
    {
        int256 power;
        assembly {
            power := sub(0, mul(mul(rate, timeToExpiry), RATE_TO_LOG2_Q236))
        }
        (uint256 mantissa, int256 exponent) = ElementaryQ80.exp2(power, ONE_Q100);
        assembly {
            discounted := shr(sub(100, exponent), mul(strike, mantissa))
        }
    }

    /// @dev Prices and delta in WAD, and phi(d1) in Q100. |x| <= 2^170, so |x| << 80 fits, and |x| / s < 64 keeps every
    /// argument below 64 + 159 in absolute value, inside what `density` and `mills` take. phi < 2^98.7 and R <= 1.55 on
    /// [-1/4, infinity): their product is below 2^179.4, and spot times that in Q100 below 2^211.4.
    function _value(uint256 spot, uint256 discounted, int256 x, uint256 s)
        private
        pure
        returns (uint256 callPrice, uint256 putPrice, uint256 delta, uint256 phi)
    {
        int256 a;
        int256 b;
        assembly {
            a := xor(x, mul(xor(x, sub(0, x)), slt(x, 0)))
            a := div(shl(80, a), s)
            b := add(a, shr(1, s))
        }
        if (a > FAR_OUT_Q80) {
            // Nothing is left of the price out of the money: |x| > 64 s and |x| < 99 (or infinite) leave s below 1.6.
            if (spot > discounted) callPrice = spot - discounted;
            else putPrice = discounted - spot;
            return (callPrice, putPrice, x > 0 ? WAD : 0, 0);
        }
        assembly {
            a := sub(a, shr(1, s))
        }
        phi = GaussQ80.density(x > 0 ? b : a);
        uint256 upper = GaussQ80.mills(b); // phi R(b), then phi R(|a|), in Q100
        assembly {
            upper := shr(80, mul(phi, upper))
        }
        if (a < -int256(1 << 78)) {
            uint256 lower = GaussQ80.mills(-a);
            assembly {
                lower := shr(80, mul(phi, lower))
                // lower + upper is what the call misses of the spot. It is at most 1 - 0.19, of the discounted strike too
                // (Phi(1/4) - phi(1/4) R(1/4) = 0.197): neither difference is negative.
                putPrice := shr(100, mul(spot, add(lower, upper)))
                callPrice := sub(spot, putPrice)
                putPrice := sub(discounted, putPrice)
                delta := shr(100, mul(sub(ONE_Q100, xor(lower, mul(xor(lower, upper), sgt(x, 0)))), WAD))
            }
        } else {
            uint256 lower = GaussQ80.mills(a);
            assembly {
                lower := shr(80, mul(phi, lower))
                // R falls, but at a spread of a few units its rounding may not.
                putPrice := shr(100, mul(spot, mul(sub(lower, upper), gt(lower, upper))))
                callPrice := putPrice
                switch lt(spot, discounted)
                case 1 { putPrice := add(putPrice, sub(discounted, spot)) }
                default { callPrice := add(callPrice, sub(spot, discounted)) }
                if sgt(x, 0) { lower := sub(ONE_Q100, upper) }
                delta := shr(100, mul(lower, WAD))
            }
        }
    }
}
