// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {OptionLimits} from "../../contracts/libraries/OptionLimits.sol";
import {OptionVaultFixture} from "./OptionVaultFixture.sol";

/// @notice Caps on notional and vega count what is written: none is asked when it is sold.
contract CapsTest is OptionVaultFixture {
    function _optionLimits() internal pure override returns (OptionLimits memory limits) {
        limits = super._optionLimits();
        limits.maxNotionalBps = 1000; // 10 % of NAV
        limits.maxVegaBps = 100; // 1 % of NAV for a volatility 1.00 higher
    }

    function test_a_write_is_held_against_notional_before_anything_is_sold() external {
        _deposit(alice, 1_000_000e6);
        _hour();
        uint256 id = _series(false, 1950e18, 1900e18, uint64(vm.getBlockTimestamp() + 30 days));
        _expectRefused( // 200,000 USDC of collateral, eight millions of notional
            _one(_writeMove(false, id, 4000e18, 40e18)),
            IMandate.ShareTooLarge.selector
        );
    }

    /// Naked puts: notional half of NAV, vega seven times its cap.
    function test_a_write_is_held_against_vega_before_anything_is_sold() external {
        IMandate.Terms memory terms = mandate.terms();
        terms.options.maxNotionalBps = 10_000;
        _setTerms(terms);
        _deposit(alice, 1_000_000e6);
        _hour();
        uint256 id = _series(false, 1950e18, 0, uint64(vm.getBlockTimestamp() + 59 days));
        IVault.Move[] memory moves = _one(_writeMove(false, id, 250e18, 400e18));
        IVault.Intent memory intent = _intent(ALL);
        vm.expectPartialRevert(IMandate.ShareTooLarge.selector);
        vm.prank(keeper);
        vault.rebalance(intent, moves);
        _run(_one(_writeMove(false, id, 20e18, 400e18)));
        uint256 vega = valuation.measure().vega;
        assertGt(vega, 0);
        assertLe(vega, valuation.measure().nav / 100);
        // What is sold then changes nothing about it.
        _toStart(_lastAuction());
        _bidAll(_lastAuction(), 20e18);
        assertApproxEqRel(valuation.measure().vega, vega, 0.01e18);
    }
}
