// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {OptionPayoff} from "../../contracts/libraries/OptionPayoff.sol";
import {Proof} from "./Proof.sol";

/// @title PayoffLemmas
/// @notice V-09: the collateral of a series covers every payoff, however it is cut into pieces.
/// @dev Prices are in units of one WAD's 10^-18 for calls and of a tenth for puts, whose tokens have no decimals here: then a put's
/// division by 10^18 rounds at small words.
contract PayoffLemmas is Proof {
    uint256 private constant TENTH = 1e17;
    uint256 private constant BITS = 3;

    function check_a_calls_payoff_is_covered(uint256 amount, uint256 strike, uint256 price) external pure {
        OptionPayoff.Terms memory terms = _call(amount, strike, 0);
        _price(price);
        assert(OptionPayoff.payoffDown(terms, amount, price) <= OptionPayoff.collateralUp(terms, amount));
    }

    function check_a_call_spreads_payoff_is_covered(
        uint256 amount,
        uint256 strike,
        uint256 second,
        uint256 price
    ) external pure {
        VM.assume(second > strike);
        OptionPayoff.Terms memory terms = _call(amount, strike, second);
        _price(price);
        assert(OptionPayoff.payoffDown(terms, amount, price) <= OptionPayoff.collateralUp(terms, amount));
    }

    /// @notice A put spread is valued as a put struck at the distance of its strikes: this holds for it too. Beyond three unknown
    /// words the solver does not come to an end.
    function check_a_puts_payoff_is_covered(uint256 amount, uint256 strike, uint256 price) external pure {
        _putIsCovered(_put(amount, strike, 0), amount, price);
    }

    function check_parts_of_a_call_pay_no_more_than_the_whole(
        uint256 amount,
        uint256 part,
        uint256 strike,
        uint256 price
    ) external pure {
        VM.assume(part <= amount);
        OptionPayoff.Terms memory terms = _call(amount, strike, 0);
        _price(price);
        uint256 parts = OptionPayoff.payoffDown(terms, part, price)
            + OptionPayoff.payoffDown(terms, amount - part, price);
        assert(parts <= OptionPayoff.payoffDown(terms, amount, price));
    }

    function check_collateral_of_parts_covers_a_put(uint256 amount, uint256 part, uint256 strike)
        external
        pure
    {
        VM.assume(part <= amount);
        OptionPayoff.Terms memory terms = _put(amount, strike, 0);
        uint256 parts =
            OptionPayoff.collateralUp(terms, part) + OptionPayoff.collateralUp(terms, amount - part);
        assert(parts >= OptionPayoff.collateralUp(terms, amount));
    }

    /// @notice Writers bear the payoff in shares rounded up: what is left after one is enough for the others, and never negative.
    function check_a_writers_burden_stays_within_what_is_left(uint256 burden, uint256 written, uint256 others)
        external
        pure
    {
        _fits(burden, BITS);
        _fits(written, BITS);
        _fits(others, BITS);
        VM.assume(written != 0);
        uint256 borne = Math.mulDiv(burden, written, written + others, Math.Rounding.Ceil);
        assert(borne <= burden);
        unchecked {
            assert((burden - borne) * (written + others) <= burden * others);
        }
    }

    /// @notice False: at the money a call pays nothing.
    function check_every_call_pays_must_fail(uint256 amount, uint256 strike, uint256 price) external pure {
        OptionPayoff.Terms memory terms = _call(amount, strike, 0);
        _price(price);
        VM.assume(amount != 0);
        assert(OptionPayoff.payoffDown(terms, amount, price) > 0);
    }

    function _putIsCovered(OptionPayoff.Terms memory terms, uint256 amount, uint256 price) private pure {
        _price(price);
        uint256 payoff = OptionPayoff.payoffDown(terms, amount, price * TENTH);
        assert(payoff <= OptionPayoff.collateralUp(terms, amount));
    }

    function _price(uint256 price) private pure {
        _fits(price, BITS);
        VM.assume(price != 0);
    }

    function _call(uint256 amount, uint256 strike, uint256 second)
        private
        pure
        returns (OptionPayoff.Terms memory)
    {
        _fits(amount, BITS);
        _fits(strike, BITS);
        _fits(second, BITS);
        VM.assume(strike != 0);
        return OptionPayoff.Terms(true, 0, 0, uint128(strike), uint128(second));
    }

    function _put(uint256 amount, uint256 strike, uint256 second)
        private
        pure
        returns (OptionPayoff.Terms memory)
    {
        _fits(amount, BITS);
        _fits(strike, BITS);
        VM.assume(second < strike);
        return OptionPayoff.Terms(false, 0, 0, uint128(strike * TENTH), uint128(second * TENTH));
    }
}
