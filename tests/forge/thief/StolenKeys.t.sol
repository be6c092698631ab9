// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IMandate} from "../../../contracts/interfaces/IMandate.sol";
import {BlackScholes} from "../../../contracts/libraries/BlackScholes.sol";
import {OptionLimits} from "../../../contracts/libraries/OptionLimits.sol";
import {ThiefSearch} from "./ThiefSearch.sol";

/// @notice V-04 with both keys stolen: who may also post volatility marks sells itself options at marks pressed down and has the vault
/// buy them back at marks pushed up. The buckets measure against the marks, so they do not see it; the collateral and the marks' own
/// daily limit bound it.
///
///     bound(T) = (routine + protective) x (1 + T) + options x gross x step(T)
///
/// where options is `maxOptionBps`, gross is 1 / (1 - maxBorrow) of NAV at most, and step(T) is the most that the value of an option, per
/// unit of its collateral, rises when its volatility is multiplied by e^(maxPerDay (1 + T)), over the strikes and tenors that may be
/// written. A call or put gains less per unit of collateral than the narrowest spread beside it, so spreads set the step.
contract StolenKeysTest is ThiefSearch {
    function setUp() public override {
        super.setUp();
        hasPoster = true;
    }

    /// forge-config: default.fuzz.runs = 40
    function testFuzz_chance_takes_no_more_than_the_bound(uint256 seed) external {
        _chance(seed);
    }

    function test_a_search_takes_no_more_than_the_bound() external {
        _search(80, 2000);
    }

    function boundBps(uint256 window) internal view override returns (uint256) {
        IMandate.Terms memory terms = mandate.terms();
        uint256 grossBps = 10_000 * 10_000 / (10_000 - terms.limits.maxBorrowBps);
        uint256 options = grossBps * terms.caps.maxOptionBps / 10_000;
        return super.boundBps(window) + options * _stepWad(terms.options, window) / WAD;
    }

    /// @dev Of spreads one part in 200 wide, over deltas, in steps of 1 %, and tenors, from a week to the longest.
    function _stepWad(OptionLimits memory limits, uint256 window) private view returns (uint256 most) {
        uint256 exponent = uint256(vols.limits().maxPerDayBps) * (1 days + window) / 1 days;
        uint256 low = LEVEL_PPM * 1e12;
        uint256 high = low * _expBps(exponent) / 10_000;
        for (uint256 strike = 1000e18; strike <= 4000e18; strike += 20e18) {
            bool isCall = strike > PRICE * 1e18;
            uint256 other = isCall ? strike * 201 / 200 : strike * 199 / 200;
            uint256 gain = _digital(isCall, strike, other, limits.maxTenor, high)
                - Math.min(
                    _digital(isCall, strike, other, limits.maxTenor, low),
                    _digital(isCall, strike, other, limits.maxTenor, high)
                );
            most = Math.max(most, gain);
        }
    }

    /// @dev Value of a narrow spread per unit of its collateral, both in dollars.
    function _digital(bool isCall, uint256 strike, uint256 other, uint256 time, uint256 volatility)
        private
        pure
        returns (uint256)
    {
        (uint256 call, uint256 put) = BlackScholes.price(PRICE * 1e18, strike, time, volatility, 0);
        (uint256 call2, uint256 put2) = BlackScholes.price(PRICE * 1e18, other, time, volatility, 0);
        if (!isCall) return (put - put2) * WAD / (strike - other);
        uint256 collateral = (other - strike) * PRICE * 1e18 / other; // base, at the oracle's price
        return (call - call2) * WAD / collateral;
    }

    /// @dev e^(bps / 10,000) in bps, rounded up: the series to the sixth term and what is left of it.
    function _expBps(uint256 bps) private pure returns (uint256 sum) {
        uint256 term = 1e18;
        for (uint256 n = 1; n < 12; ++n) {
            sum += term;
            term = term * bps / (10_000 * n);
        }
        return sum / 1e14 + 2;
    }

    /// @dev Down with the marks, write the spreads that move most, buy them, up with the marks, and the greedy swaps besides.
    function _greedy() internal pure override returns (bytes memory genome) {
        genome = hex"087e010900000c00000200010c0000";
        for (uint256 i; i < 7; ++i) {
            genome = bytes.concat(genome, hex"017c06", hex"020000", hex"00ff06", hex"020003");
            if (i == 3 || i == 5) genome = bytes.concat(genome, hex"0c0000");
        }
        genome = bytes.concat(genome, hex"020003", hex"0c0000", hex"01ff07", hex"0a0001", hex"0b0001");
    }
}
