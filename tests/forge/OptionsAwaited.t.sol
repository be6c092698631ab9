// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ISettlementOracle} from "../../contracts/interfaces/ISettlementOracle.sol";
import {IValuation} from "../../contracts/interfaces/IValuation.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {OptionVaultFixture} from "./OptionVaultFixture.sol";

/// @notice With the real desk: who comes or goes waits for an option that is expired and not collected, and who leaves in kind for
/// every option.
contract OptionsAwaitedTest is OptionVaultFixture {
    uint256 private shares;
    uint256 private id;
    uint64 private expiry;

    function setUp() public override {
        super.setUp();
        shares = _deposit(alice, 1_000_000e6);
        _hour();
        expiry = uint64(vm.getBlockTimestamp() + 30 days);
        id = _series(false, 1950e18, 0, expiry);
        _run(_one(_writeMove(false, id, 5e18, 400e18)));
        uint256 sale = _lastAuction();
        _toStart(sale);
        _bidAll(sale, 5e18);
    }

    function _expire() private {
        vm.warp(expiry);
        for (uint256 i; i < 12; ++i) {
            _hour();
        }
    }

    /// V-03: nobody is priced while anything from nothing to all may be owed.
    function testFuzz_nobody_is_settled_while_a_price_is_awaited(uint256 price) external {
        price = bound(price, 1e18, 10_000e18);
        vm.prank(alice);
        vault.requestRedeem(shares / 2, alice, alice);
        _expire();
        vm.expectRevert(IValuation.SeriesAwaited.selector);
        vault.settle();
        settlement.set(ISettlementOracle.Status.Settled, price);
        vm.expectRevert(IValuation.SeriesAwaited.selector);
        vault.settle(); // known, and not yet collected
        desk.collect(id);
        vault.settle();
        assertGt(vault.maxRedeem(alice), 0);
    }

    function test_nobody_leaves_in_kind_before_the_options_are_gone() external {
        vm.prank(guardian);
        mandate.windDown();
        vm.expectRevert(abi.encodeWithSelector(IValuation.OptionsOpen.selector, 1));
        vm.prank(alice);
        vault.exitInKind(shares, alice);
        assertEq(vault.balanceOf(alice), shares);
        _expire();
        settlement.set(ISettlementOracle.Status.Settled, 1900e18);
        desk.collect(id);
        uint256 idle = vault.idle(address(usdc));
        vm.prank(alice);
        (uint256 assets,) = vault.exitInKind(shares, alice);
        assertApproxEqAbs(assets, idle, 2e6, "all but the seed's part");
        assertEq(usdc.balanceOf(alice), assets);
    }

    function testFuzz_an_option_is_bought_back_for_the_asset_alone(uint256 amount, uint256 limit) external {
        IVault.Move memory move = _buyBackMove(id, bound(amount, 1e15, 5e18), bound(limit, 1, 400e18));
        move.token = address(weth);
        _expectRefused(_one(move), abi.encodeWithSelector(IVault.TokenNotAllowed.selector, address(weth)));
        assertEq(weth.allowance(address(vault), address(desk)), 0);
    }
}
