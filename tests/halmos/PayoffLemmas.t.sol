// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {OptionPayoff} from "../../contracts/libraries/OptionPayoff.sol";
import {Proof} from "./Proof.sol";

/// @title PayoffLemmas
/// @notice V-09: the collateral of a series covers every payoff, however it is cut into pieces.
/// @dev Strikes are multiples of 10^16 WAD and tokens have no decimals, so that a put's division by 10^18 rounds at small words.
contract PayoffLemmas is Proof {
    uint256 private constant STEP = 1e16;
    uint256 private constant BITS = 6;

    function check_a_payoff_never_exceeds_its_collateral(
        bool isCall,
        uint256 amount,
        uint256 strike,
        uint256 second,
        uint256 price
    ) external pure {
        OptionPayoff.Terms memory terms = _terms(isCall, amount, strike, second);
        _fits(price, BITS);
        VM.assume(price != 0);
        assert(
            OptionPayoff.payoffDown(terms, amount, price * STEP) <= OptionPayoff.collateralUp(terms, amount)
        );
    }

    function check_payoffs_of_parts_never_exceed_that_of_the_whole(
        bool isCall,
        uint256 amount,
        uint256 part,
        uint256 strike,
        uint256 price
    ) external pure {
        OptionPayoff.Terms memory terms = _terms(isCall, amount, strike, 0);
        _fits(price, BITS);
        VM.assume(price != 0 && part <= amount);
        uint256 parts = OptionPayoff.payoffDown(terms, part, price * STEP)
            + OptionPayoff.payoffDown(terms, amount - part, price * STEP);
        assert(parts <= OptionPayoff.payoffDown(terms, amount, price * STEP));
    }

    function check_collateral_of_parts_covers_the_whole(
        bool isCall,
        uint256 amount,
        uint256 part,
        uint256 strike,
        uint256 second
    ) external pure {
        OptionPayoff.Terms memory terms = _terms(isCall, amount, strike, second);
        VM.assume(part <= amount);
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
        OptionPayoff.Terms memory terms = _terms(true, amount, strike, 0);
        _fits(price, BITS);
        VM.assume(price != 0 && amount != 0);
        assert(OptionPayoff.payoffDown(terms, amount, price * STEP) > 0);
    }

    function _terms(bool isCall, uint256 amount, uint256 strike, uint256 second)
        private
        pure
        returns (OptionPayoff.Terms memory)
    {
        _fits(amount, BITS);
        _fits(strike, BITS);
        _fits(second, BITS);
        VM.assume(strike != 0);
        VM.assume(second == 0 || (isCall ? second > strike : second < strike));
        return OptionPayoff.Terms(isCall, 0, 0, uint128(strike * STEP), uint128(second * STEP));
    }
}
