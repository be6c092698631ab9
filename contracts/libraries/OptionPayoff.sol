// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title OptionPayoff
/// @notice What a European option or vertical spread pays, and the most it can ever pay. Amounts are raw units of the base
/// token: 10^baseDecimals of them are one option on one whole base.
/// @dev For every price: payoffDown(amount, price) <= collateralUp(amount). Calls pay base, so that their payoff
/// amount x (S - K) / S stays below amount; a call spread pays amount x (min(S, K2) - K1) / S, which is greatest at S = K2.
library OptionPayoff {
    /// @param isCall a call is paid in base, a put in quote
    /// @param baseDecimals at most 18
    /// @param quoteDecimals at most 18
    /// @param strikeWad of the bought option, quote per whole base, not 0
    /// @param secondStrikeWad of the sold option, 0 for none; above `strikeWad` for calls, below for puts
    struct Terms {
        bool isCall;
        uint8 baseDecimals;
        uint8 quoteDecimals;
        uint128 strikeWad;
        uint128 secondStrikeWad;
    }

    /// @notice The greatest payoff over all prices, rounded up; raw base for calls, raw quote for puts.
    function collateralUp(Terms memory terms, uint256 amount) internal pure returns (uint256) {
        return _maxPayoff(terms, amount, Math.Rounding.Ceil);
    }

    /// @notice The greatest payoff over all prices, rounded down.
    function maxPayoffDown(Terms memory terms, uint256 amount) internal pure returns (uint256) {
        return _maxPayoff(terms, amount, Math.Rounding.Floor);
    }

    /// @notice The payoff at `priceWad`, rounded down; raw base for calls, raw quote for puts.
    /// @param priceWad quote per whole base, not 0
    function payoffDown(Terms memory terms, uint256 amount, uint256 priceWad)
        internal
        pure
        returns (uint256)
    {
        (uint256 strike, uint256 second) = (terms.strikeWad, terms.secondStrikeWad);
        if (terms.isCall) {
            if (priceWad <= strike) return 0;
            uint256 top = second == 0 ? priceWad : Math.min(priceWad, second);
            return Math.mulDiv(amount, top - strike, priceWad);
        }
        if (priceWad >= strike) return 0;
        return _quoteValue(terms, amount, strike - Math.max(priceWad, second), Math.Rounding.Floor);
    }

    function _maxPayoff(Terms memory terms, uint256 amount, Math.Rounding rounding)
        private
        pure
        returns (uint256)
    {
        (uint256 strike, uint256 second) = (terms.strikeWad, terms.secondStrikeWad);
        if (!terms.isCall) return _quoteValue(terms, amount, strike - second, rounding);
        return second == 0 ? amount : Math.mulDiv(amount, second - strike, second, rounding);
    }

    /// @dev The factors stay below 2^188 and 2^120; the product is taken in 512 bits.
    function _quoteValue(Terms memory terms, uint256 amount, uint256 priceWad, Math.Rounding rounding)
        private
        pure
        returns (uint256)
    {
        return Math.mulDiv(
            amount,
            priceWad * 10 ** uint256(terms.quoteDecimals),
            10 ** (uint256(terms.baseDecimals) + 18),
            rounding
        );
    }
}
