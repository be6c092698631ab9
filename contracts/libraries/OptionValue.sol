// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import {BlackScholes} from "./BlackScholes.sol";

/// @title OptionValue
/// @notice Model value of one option or vertical spread before expiry: forward = spot, rate 0, per whole base, WAD.
///
/// A spread is the difference of its two options, each at its own volatility, held between 0 and the distance of the
/// strikes: two volatilities that do not belong together must not make it worth less than nothing or more than it can
/// pay. What is paid in base is worth the same here: (S - K) / S of base is S - K of quote.
library OptionValue {
    using SafeCast for uint256;

    int256 private constant SIGNED_WAD = 1e18;

    /// @param secondStrikeWad of the other option of a spread, 0 for none
    struct Option {
        bool isCall;
        uint256 strikeWad;
        uint256 secondStrikeWad;
    }

    /// @notice Volatilities of the two strikes; the second is not read without one.
    struct Volatility {
        uint256 firstWad;
        uint256 secondWad;
    }

    /// @notice Value of one option for its holder.
    function valueWad(Option memory option, uint256 spotWad, uint256 time, Volatility memory volatility)
        internal
        pure
        returns (uint256 value)
    {
        value = _priceWad(option.isCall, spotWad, option.strikeWad, time, volatility.firstWad);
        if (option.secondStrikeWad == 0) return value;
        uint256 other = _priceWad(option.isCall, spotWad, option.secondStrikeWad, time, volatility.secondWad);
        return _clamped(option, value, other);
    }

    /// @notice Value, delta and vega for its holder: delta of quote per unit of spot, vega per 1.00 of volatility.
    function valueDeltaVegaWad(
        Option memory option,
        uint256 spotWad,
        uint256 time,
        Volatility memory volatility
    ) internal pure returns (uint256 value, int256 delta, int256 vega) {
        (value, delta, vega) = _leg(option.isCall, spotWad, option.strikeWad, time, volatility.firstWad);
        if (option.secondStrikeWad == 0) return (value, delta, vega);
        (uint256 other, int256 otherDelta, int256 otherVega) =
            _leg(option.isCall, spotWad, option.secondStrikeWad, time, volatility.secondWad);
        return (_clamped(option, value, other), delta - otherDelta, vega - otherVega);
    }

    /// @notice |delta| of the first option alone: of a spread, that which its writer is short.
    function firstDeltaWad(Option memory option, uint256 spotWad, uint256 time, uint256 volatilityWad)
        internal
        pure
        returns (uint256)
    {
        (, int256 delta,) = _leg(option.isCall, spotWad, option.strikeWad, time, volatilityWad);
        return SignedMath.abs(delta);
    }

    /// @notice Gamma for its holder: change of delta per unit of spot.
    function gammaWad(Option memory option, uint256 spotWad, uint256 time, Volatility memory volatility)
        internal
        pure
        returns (int256 gamma)
    {
        gamma = _gamma(spotWad, option.strikeWad, time, volatility.firstWad);
        if (option.secondStrikeWad == 0) return gamma;
        gamma -= _gamma(spotWad, option.secondStrikeWad, time, volatility.secondWad);
    }

    function _priceWad(bool isCall, uint256 spot, uint256 strike, uint256 time, uint256 volatility)
        private
        pure
        returns (uint256)
    {
        (uint256 call, uint256 put) = BlackScholes.price(spot, strike, time, volatility, 0);
        return isCall ? call : put;
    }

    function _leg(bool isCall, uint256 spot, uint256 strike, uint256 time, uint256 volatility)
        private
        pure
        returns (uint256 value, int256 delta, int256 vega)
    {
        (uint256 call, uint256 put, uint256 callDelta, uint256 vega_) =
            BlackScholes.priceDeltaVega(spot, strike, time, volatility, 0);
        vega = vega_.toInt256();
        delta = callDelta.toInt256();
        if (isCall) return (call, delta, vega);
        return (put, delta - SIGNED_WAD, vega);
    }

    function _gamma(uint256 spot, uint256 strike, uint256 time, uint256 volatility)
        private
        pure
        returns (int256)
    {
        (,,,, uint256 gamma) = BlackScholes.greeks(spot, strike, time, volatility, 0);
        return gamma.toInt256();
    }

    function _clamped(Option memory option, uint256 value, uint256 other) private pure returns (uint256) {
        uint256 width = option.isCall
            ? option.secondStrikeWad - option.strikeWad
            : option.strikeWad - option.secondStrikeWad;
        return Math.min(Math.saturatingSub(value, other), width);
    }
}
