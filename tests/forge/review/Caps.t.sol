// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IValuation} from "../../../contracts/interfaces/IValuation.sol";
import {OptionLimits} from "../../../contracts/libraries/OptionLimits.sol";
import {OptionVault} from "./OptionVault.sol";

/// @notice Caps on notional and vega are held against what is sold when something is written, which is never what was written.
contract CapsTest is OptionVault {
    function _optionLimits() internal pure override returns (OptionLimits memory limits) {
        limits = super._optionLimits();
        limits.maxNotionalBps = 1000; // 10 % of NAV
        limits.maxVegaBps = 100; // 1 % of NAV for a volatility 1.00 higher
    }

    function test_notional_and_vega_stay_under_their_caps() external {
        _deposit(alice, 1_000_000e6);
        _hour();
        uint256 id = _series(false, 1950e18, 1900e18, uint64(vm.getBlockTimestamp() + 30 days));
        _run(_one(_writeMove(false, id, 4000e18, 40e18))); // 200,000 USDC of collateral
        _toStart(_lastAuction());
        _bidAll(_lastAuction(), 4000e18);
        IValuation.Measure memory m = valuation.measure();
        emit log_named_decimal_uint("NAV", m.nav, 6);
        emit log_named_decimal_uint("notional", m.notional, 6);
        emit log_named_decimal_uint("vega", m.vega, 6);
        emit log_named_decimal_int("delta, base", m.deltaBase, 18);
        assertLe(m.notional, m.nav / 10, "notional over its cap");
        assertLe(m.vega, m.nav / 100, "vega over its cap");
    }

    /// Naked puts: vega ten times its cap.
    function test_vega_stays_under_its_cap() external {
        _deposit(alice, 1_000_000e6);
        _hour();
        uint256 id = _series(false, 1950e18, 0, uint64(vm.getBlockTimestamp() + 59 days));
        _run(_one(_writeMove(false, id, 250e18, 400e18)));
        _toStart(_lastAuction());
        _bidAll(_lastAuction(), 250e18);
        IValuation.Measure memory m = valuation.measure();
        emit log_named_decimal_uint("NAV", m.nav, 6);
        emit log_named_decimal_uint("notional", m.notional, 6);
        emit log_named_decimal_uint("vega", m.vega, 6);
        assertLe(m.vega, m.nav / 100, "vega over its cap");
    }
}
