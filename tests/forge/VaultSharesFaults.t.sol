// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {IVaultShares} from "../../contracts/interfaces/IVaultShares.sol";
import {Fixture} from "./Fixture.sol";

/// @notice Settlements without a price, without solvency, and with less assets than are owed: what waits is safe, and whoever can
/// leave may leave.
contract VaultSharesFaultsTest is Fixture {
    address private bob = makeAddr("bob");

    // ---------------------------------------------------------------- price unusable

    /// Without base held or owed no price matters, and nobody is locked in or out by a feed (V-17 in part).
    function testFuzz_without_base_an_unusable_price_closes_nothing(uint256 assets) external {
        assets = bound(assets, 1, 1e15);
        uint256 shares = _deposit(alice, assets);
        _request(bob, assets);
        vm.prank(alice);
        vault.requestRedeem(shares, alice, alice);
        _makeStale();
        vault.settle();
        assertEq(vault.maxWithdraw(alice), assets);
        assertEq(vault.maxDeposit(bob), assets);
    }

    /// A gift of base of up to 1 % of the dollars closes no exit, takes nothing from whoever leaves, and no deposit is priced
    /// while it cannot be valued (V-07, V-17 in part).
    function testFuzz_a_gift_of_base_locks_nobody_in(uint256 gift, bool deviating) external {
        uint256 shares = _deposit(alice, 1_000_000e6);
        _request(bob, 1000e6);
        vm.prank(alice);
        vault.requestRedeem(shares / 2, alice, alice);
        weth.mint(address(vault), bound(gift, 1, 4.9e18));
        _wait(EPOCH);
        if (deviating) ethFeed.set(int256(PRICE * 75e6));
        else _makeStale();
        vault.settle();
        assertEq(vault.maxWithdraw(alice), 500_000e6);
        assertEq(vault.pendingDepositRequest(0, bob), 1000e6);
        _setPrice(PRICE * 100);
        _settle();
        assertEq(vault.maxDeposit(bob), 1000e6);
    }

    /// More base than a gift would be left behind without a word: the exit waits instead, and can be taken back.
    function testFuzz_without_a_price_exits_wait_while_base_is_held(uint256 exposureBps, bool deviating)
        external
    {
        uint256 shares = _deposit(alice, 1_000_000e6);
        _run(_one(_swapMove(address(usdc), bound(exposureBps, 200, 9900) * 100e6)));
        vm.prank(alice);
        vault.requestRedeem(shares, alice, alice);
        _request(bob, 1000e6);
        _wait(EPOCH);
        if (deviating) ethFeed.set(int256(PRICE * 75e6));
        else _makeStale();
        vm.expectPartialRevert(IPriceOracle.PriceUnusable.selector);
        vault.settle();
        vm.prank(alice);
        assertEq(vault.cancelRedeemRequest(alice, alice), shares);
        vm.prank(bob);
        assertEq(vault.cancelDepositRequest(bob, bob), 1000e6);
    }

    /// What is owed in base cannot be valued low without a price.
    function testFuzz_without_a_price_exits_wait_while_base_is_owed(uint256 borrowed) external {
        uint256 shares = _deposit(alice, 1_000_000e6);
        IVault.Move[] memory moves = new IVault.Move[](3);
        moves[0] = _supplyMove(address(usdc), 500_000e6);
        moves[1] = _borrowMove(address(weth), bound(borrowed, 1e15, 50e18));
        moves[2] = _swapMove(address(weth), ALL);
        _run(moves);
        vm.prank(alice);
        vault.requestRedeem(shares, alice, alice);
        _makeStale();
        vm.expectPartialRevert(IPriceOracle.PriceUnusable.selector);
        vault.settle();
        _setPrice(PRICE * 100);
        _settle();
        assertGt(vault.maxWithdraw(alice), 0);
    }

    // ---------------------------------------------------------------- insolvent

    /// A vault that owes more than it has is worth nothing, prices no deposit and pays no redemption: both wait, both may be
    /// taken back, and what is reserved is paid.
    function testFuzz_an_insolvent_vault_takes_no_deposits(uint256 cents) external {
        _lever(1_000_000e6, 10_000, 7000);
        vm.startPrank(alice);
        vault.requestRedeem(vault.balanceOf(alice) / 2, alice, alice);
        vm.stopPrank();
        _settle();
        uint256 owed = vault.maxWithdraw(alice);
        uint256 settled = vault.maxRedeem(alice);
        assertGt(owed, 0);
        _run(_one(_swapMove(address(usdc), ALL)));
        _request(bob, 1000e6);
        _wait(EPOCH);
        _setPrice(bound(cents, 10_000, 60_000));
        assertEq(vault.nav(), 0);
        uint256 waits = vault.pendingRedeemRequest(0, alice);
        vault.settle();
        assertEq(vault.pendingDepositRequest(0, bob), 1000e6);
        assertEq(vault.pendingRedeemRequest(0, alice), waits);
        assertEq(vault.totalAssets(), 0);
        vm.prank(bob);
        assertEq(vault.cancelDepositRequest(bob, bob), 1000e6);
        vm.prank(alice);
        assertEq(vault.redeem(settled, alice, alice), owed);
    }

    // ---------------------------------------------------------------- assets missing

    /// A balance below what is owed stops settlements and moves, with both numbers; nothing else.
    function testFuzz_missing_assets_stop_settlements_and_not_cancellations(uint256 missing) external {
        uint256 shares = _deposit(alice, 1000e6);
        vm.prank(alice);
        vault.requestRedeem(shares, alice, alice);
        _settle();
        _request(bob, 1000e6);
        uint256 balance = usdc.balanceOf(address(vault));
        missing = bound(missing, balance - 2000e6 + 1, 999e6);
        deal(address(usdc), address(vault), balance - missing);
        _wait(EPOCH);
        bytes memory reason =
            abi.encodeWithSelector(IVaultShares.AssetsMissing.selector, balance - missing, 2000e6);
        vm.expectRevert(reason);
        vault.settle();
        _expectRefused(_one(_supplyMove(address(usdc), 1)), reason);
        vm.prank(bob);
        assertEq(vault.cancelDepositRequest(bob, bob), 1000e6);
        assertEq(usdc.balanceOf(bob), 1000e6);
        usdc.mint(address(vault), missing);
        vm.prank(alice);
        assertEq(vault.redeem(shares, alice, alice), 1000e6);
        vault.settle();
    }

    /// A loss of what is not owed is a loss, and the next settlement prices it in.
    function testFuzz_a_loss_of_idle_assets_is_priced_in(uint256 lost) external {
        uint256 shares = _deposit(alice, 1000e6);
        lost = bound(lost, 1, 1000e6);
        deal(address(usdc), address(vault), 1001e6 - lost);
        vm.prank(alice);
        vault.requestRedeem(shares, alice, alice);
        _settle();
        assertApproxEqAbs(vault.maxWithdraw(alice), (1001e6 - lost) * 1000 / 1001, 2);
    }
}
