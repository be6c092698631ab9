// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IVault} from "../../contracts/interfaces/IVault.sol";
import {OptionVaultFixture} from "./OptionVaultFixture.sol";

/// @notice V-08 with the real desk: while volatility is unusable, what is on sale can still be taken off it.
contract OptionsUnpricedTest is OptionVaultFixture {
    uint256 private first;
    uint256 private second;

    /// @dev Two series written and on sale; then nobody posts for longer than marks live.
    function setUp() public override {
        super.setUp();
        _deposit(alice, 1_000_000e6);
        _hour();
        uint64 expiry = uint64(vm.getBlockTimestamp() + 30 days);
        uint256 near = _series(false, 1950e18, 0, expiry);
        uint256 far = _series(false, 1900e18, 0, expiry);
        _run(_one(_writeMove(false, near, 5e18, 400e18)));
        first = _lastAuction();
        _run(_one(_writeMove(false, far, 5e18, 400e18)));
        second = _lastAuction();
        assertTrue(valuation.measure().optionsKnown, "they were known");
        vm.warp(vm.getBlockTimestamp() + 4 days);
        ethFeed.set(ethFeed.answer());
        usdcFeed.set(usdcFeed.answer());
        assertFalse(valuation.measure().optionsKnown, "and are no longer");
        assertTrue(valuation.measure().priced);
    }

    /// Unknown before and after: the other series is still there.
    function test_a_cancel_passes_that_leaves_the_options_unknown() external {
        uint256 idle = usdc.balanceOf(address(vault));
        _run(_one(_cancelMove(first)));
        assertFalse(valuation.measure().optionsKnown);
        assertEq(usdc.balanceOf(address(vault)), idle + 5 * 1950e6, "collateral is home");
    }

    /// Unknown before, known after: nothing is left that needs a volatility.
    function test_so_does_the_cancel_that_makes_them_known_again() external {
        uint256 idle = usdc.balanceOf(address(vault));
        _run(_one(_cancelMove(first)));
        _run(_one(_cancelMove(second)));
        assertTrue(valuation.measure().optionsKnown);
        assertEq(usdc.balanceOf(address(vault)), idle + 5 * 3850e6);
    }

    function test_a_paused_vault_can_cancel_as_well() external {
        vm.prank(guardian);
        mandate.pause();
        _run(_one(_cancelMove(first)));
        _run(_one(_cancelMove(second)));
        assertTrue(valuation.measure().optionsKnown);
    }

    /// Whatever needs a volatility waits for one.
    function test_nothing_else_of_options_passes_meanwhile() external {
        uint256 id = _series(false, 1850e18, 0, uint64(vm.getBlockTimestamp() + 20 days));
        IVault.Intent memory intent = _intent(ALL);
        vm.expectRevert(abi.encodeWithSelector(IVault.MoveNeedsPrice.selector, 0, IVault.MoveKind.Write));
        vm.prank(keeper);
        vault.rebalance(intent, _one(_writeMove(false, id, 1e18, 400e18)));
    }
}
