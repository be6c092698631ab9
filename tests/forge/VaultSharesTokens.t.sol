// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IVaultShares} from "../../contracts/interfaces/IVaultShares.sol";
import {DecimalsFixture} from "./DecimalsFixture.sol";
import {MockOddToken} from "./mocks/MockOddToken.sol";
import {MockToken} from "./mocks/MockToken.sol";

/// @notice Assets that do not keep to their word: refused where they come in; where they do not go out, nothing is lost.
contract VaultSharesTokensTest is DecimalsFixture {
    MockOddToken private odd;
    address private bob = makeAddr("bob");

    function _assetDecimals() internal pure override returns (uint8) {
        return 6;
    }

    function _newAsset() internal override returns (MockToken) {
        odd = new MockOddToken("ODD", 6);
        return MockToken(address(odd));
    }

    function redeploy() external {
        _deployVault();
    }

    /// A token that keeps a part of what is sent is refused with both numbers.
    function testFuzz_a_fee_on_transfer_is_refused(uint256 assets) external {
        assets = bound(assets, 1, 1e15);
        odd.mint(alice, assets);
        odd.setFault(MockOddToken.Fault.TakesFromReceiver);
        vm.startPrank(alice);
        odd.approve(address(vault), assets);
        vm.expectRevert(abi.encodeWithSelector(IVaultShares.TransferMismatch.selector, assets, assets - 1));
        vault.requestDeposit(assets, alice, alice);
        vm.stopPrank();
        assertEq(odd.balanceOf(alice), assets);
    }

    /// And so is its seed: no vault opens over it.
    function test_a_fee_on_transfer_opens_no_vault() external {
        odd.setFault(MockOddToken.Fault.TakesFromReceiver);
        vm.expectPartialRevert(IVaultShares.TransferMismatch.selector);
        this.redeploy();
    }

    /// A token that says no instead of reverting moves nothing in, and what it does not pay out stays owed.
    function testFuzz_a_token_that_returns_false_loses_nothing(uint256 assets, bool refuses) external {
        assets = bound(assets, 2, 1e15);
        uint256 shares = _deposit(alice, assets);
        vm.prank(alice);
        vault.requestRedeem(shares, alice, alice);
        _settle();
        _request(bob, assets);
        odd.mint(bob, assets);
        vm.prank(bob);
        odd.approve(address(vault), assets);
        odd.setFault(refuses ? MockOddToken.Fault.Refuses : MockOddToken.Fault.ReturnsFalse);
        bytes memory reason = refuses
            ? abi.encodeWithSignature("Error(string)", "refused")
            : abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(odd));
        uint256 owed = vault.maxWithdraw(alice);
        _expectNothingMoves(reason, assets, shares);
        // Settling moves no asset and does not care, nor does a claim of shares.
        _settle();
        vm.prank(bob);
        assertEq(vault.deposit(assets, bob), vault.balanceOf(bob));
        odd.setFault(MockOddToken.Fault.None);
        assertEq(vault.maxWithdraw(alice), owed);
        vm.prank(alice);
        assertEq(vault.redeem(shares, alice, alice), owed);
    }

    function _expectNothingMoves(bytes memory reason, uint256 assets, uint256 shares) private {
        vm.startPrank(bob);
        vm.expectRevert(reason);
        vault.requestDeposit(assets, bob, bob);
        vm.expectRevert(reason);
        vault.cancelDepositRequest(bob, bob);
        vm.stopPrank();
        assertEq(vault.pendingDepositRequest(0, bob), assets);
        vm.startPrank(alice);
        vm.expectRevert(reason);
        vault.redeem(shares, alice, alice);
        vm.expectRevert(reason);
        vault.withdraw(1, alice, alice);
        vm.stopPrank();
        assertEq(vault.maxRedeem(alice), shares);
    }

    /// A balance that shrinks by itself is a loss while it covers what is owed; below that, settlements stop with both numbers
    /// and whatever still waits can be taken back.
    function testFuzz_a_shrinking_token_stops_settlements(uint256 part) external {
        uint256 shares = _deposit(alice, 1000e6);
        vm.prank(alice);
        vault.requestRedeem(shares / 2, alice, alice);
        _settle();
        _request(bob, 300e6);
        uint256 owed = vault.epochState().reserved + 300e6;
        uint256 balance = bound(part, 300e6, odd.balanceOf(address(vault)));
        deal(address(odd), address(vault), balance);
        _wait(EPOCH);
        if (balance < owed) {
            vm.expectRevert(abi.encodeWithSelector(IVaultShares.AssetsMissing.selector, balance, owed));
        }
        vault.settle();
        if (balance >= owed) assertEq(vault.totalAssets(), balance - owed + 300e6);
        if (balance >= owed) return;
        vm.prank(bob);
        assertEq(vault.cancelDepositRequest(bob, bob), 300e6);
    }
}
